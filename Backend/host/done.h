/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * done.h - messages that servers of workers are done, from this host: see
 * Backend/datapath/done.bpf.c
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * With a file that has `release-to` and services of workers here: loads the
 * programs and attaches them to `names`, the interfaces, and writes the
 * services. If one is missing, it is attached again; by `run`, until somebody
 * removes it twice. Returns 0, or -1 with a fault.
 */
int done_host(struct kernel *kernel, const struct config *config,
	      const char *const *names, struct fault *fault);
/* Detaches them, if nothing here needs them any more. */
void done_settle(struct kernel *kernel, const struct config *config);
