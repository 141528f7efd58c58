/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * waiting.h - lbr_waiting behind the interfaces: it sends the packets whose
 * next hop has no MAC address, by methods whose packets the kernel cannot
 * forward
 */
#pragma once

#include "common/kernel/kernel.h"

/* Has the file a service by such a method? */
bool waiting_is_wanted(const struct config *config);
/*
 * With such a service: loads lbr_waiting and attaches it to `names`. Says to
 * xdp_lbr whether it is there. Returns 0, or -1 with a fault.
 */
int waiting_host(struct kernel *kernel, const struct config *config,
		 const char *const *names, struct fault *fault);
/* Detaches it, if the file has no such service. */
void waiting_settle(struct kernel *kernel, const struct config *config);
