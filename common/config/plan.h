/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan.h - from the file that runs to the one that is wanted, step by step
 *
 * Each step is a file that `check` accepts and that `apply` takes after the one
 * before. A step depends on these two files and nothing else, so a plan may be
 * left at any step and made again, also for another goal.
 *
 * Rounds: in the first, all begins for which there is room (at most
 * MOST_IN_TRANSITION of a service); in the next, all ends that has begun. What
 * cannot have second chance changes at once. A method changes before or after
 * the pool: at the side at which backends can look for flows at each other. If
 * nothing else leads there, flows are remembered and the wanted file follows.
 */
#pragma once

#include "common/config/config.h"

/* What a step waits for, besides that all hosts have the one before. */
enum plan_wait {
	WAIT_NONE,
	WAIT_MOVED,  /* no backend counts flows that need the step before */
	WAIT_UNUSED, /* what is removed has no flows any more */
};

struct plan_step {
	struct config config; /* valid */
	char *file;	      /* its text */
	enum plan_wait wait;
	/* Load balancers, then backends; else newcomers, backends, load
	 * balancers. */
	bool balancers_first;
};

/*
 * The next step from `running`, a file's meaning without what was set by hand,
 * to `wanted`. Returns 1, 0 if they mean the same, or -1 without memory.
 * plan_step_free() is due after 1.
 */
int plan_next(const struct config *running, const struct config *wanted,
	      struct plan_step *step);
void plan_step_free(struct plan_step *step);

/* Prints what the step changes, a line each. Returns 0, or -1. */
int plan_changes(const struct config *old, const struct config *new, FILE *out);
