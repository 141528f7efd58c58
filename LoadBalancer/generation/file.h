/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file.h - keep the file of a generation in the kernel
 *
 * As text, because it has to outlive the build that wrote it; and whole,
 * because one file serves both roles, and part of it is for backends only. What
 * verbs have set since then is in the backends' rows, marked: enum override.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/kernel/kernel.h"

/*
 * Keeps the file of the generation that is built: `config`, or, if that is the
 * running state, the running generation's file, where it is. Returns 0, or -1
 * with a fault.
 */
int file_keep(struct kernel *kernel, const struct config *config,
	      struct generation *generation, struct fault *fault);

/*
 * The file of the generation at `index`, as it was read. 0, or -1 with a fault.
 */
int file_read(const struct kernel *kernel, __u32 index, struct config *config,
	      struct fault *fault);

/*
 * The running generation's file, and the same with what was set by hand: either
 * may be NULL. Release each with config_free(). Returns 0, or -1 with a fault
 * and nothing to release.
 */
int file_running(const struct kernel *kernel, struct config *file,
		 struct config *state, struct fault *fault);

/* Is any service of it checked? */
bool file_wants_checks(const struct config *config);
/* ... by the load balancer, at its VIP? */
bool file_wants_check_path(const struct config *config);
