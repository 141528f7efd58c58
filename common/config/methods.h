/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * methods.h - what a forwarding method requires of the file
 */
#pragma once

#include <stdio.h>

#include "common/config/config.h"
#include "common/config/refusal.h"

/* 0, or -1 with the refusal written. */
int methods_check(const struct config *config, const struct refusal *refusal);

/* What the administrator of the other end has to know, a line each. */
void methods_notes(const struct config *config, FILE *out);
