/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - the file that a generation was built from, kept in the kernel
 *
 * As text, for it has to outlive the build that wrote it; and whole, for one
 * file serves both roles, and some of it is the backends' only. What verbs have
 * set since then is in the backends' rows, marked: enum by_hand.
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Keeps the file of generation slot `slot`: `config`, or what the running one
 * has, where it is the running state. Returns 0, or -1 with a fault.
 */
int file_keep(struct kernel *kernel, const struct config *config, __u32 slot,
	      struct fault *fault);

/* The file of generation slot `slot`, as it was read. 0, or -1 with a fault. */
int file_read(const struct kernel *kernel, __u32 slot, struct config *config,
	      struct fault *fault);

/*
 * The running generation's file, and the same with what has been set by hand:
 * either may be NULL. Release each with config_free(). Returns 0, or -1 with a
 * fault, and nothing to release.
 */
int file_running(const struct kernel *kernel, struct config *file,
		 struct config *state, struct fault *fault);

/* Is any service of it checked? */
bool file_wants_checks(const struct config *config);
