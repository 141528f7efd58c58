/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.h - services of `scheduler: workers`: what a file may not say of them
 */
#pragma once

#include <stdio.h>

#include "common/config/config.h"
#include "common/config/refusal.h"

/* Returns 0, or -1 with the first refusal. */
int workers_check(const struct config *config, const struct refusal *refusal);
/* Who may free a thread, if there is no `release-key`: a line for each. */
void workers_warn(const struct config *config, FILE *out);
