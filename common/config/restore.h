/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.h - the key `restore`: where a backend's server listens
 */
#pragma once

#include <stdio.h>

#include "common/config/config.h"
#include "common/config/refusal.h"

/* Refuses `tc` where it cannot be: see refusal.h. */
int restore_check(const struct config *config, const struct refusal *refusal);
/* What a user should know about it, a line each. */
void restore_notes(const struct config *config, FILE *out);
