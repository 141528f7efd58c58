/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat.h - `forward: nat` on this host: lbr_nat behind the interfaces, and the
 * sources that are this host's addresses
 */
#pragma once

#include "common/kernel/kernel.h"

/* Has the file a service whose packets lbr_nat translates? */
bool nat_is_wanted(const struct config *config);
/*
 * Before anything is changed: is it possible here, and does no open flow get
 * lost? Returns 0, or -1 with a fault.
 */
int nat_refuse(const struct kernel *kernel, const struct config *config,
	       struct fault *fault);
/*
 * With the file's services that need it: loads lbr_nat and attaches it to
 * `names`, and writes the sources. If lbr_nat is missing from one, it is
 * attached again; by `run`, until somebody removes it twice. Returns 0, or -1
 * with a fault.
 */
int nat_host(struct kernel *kernel, const struct config *config,
	     const char *const *names, struct fault *fault);
/* Detaches it, if the file has no such service. */
void nat_settle(struct kernel *kernel, const struct config *config);
