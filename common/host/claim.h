/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * claim.h - addresses that a host answers for on a LAN and does not have:
 * proxy ARP (RFC 1027), proxy ND (RFC 4861 7.2.8)
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Answers for `address` on an interface, immediately; notes what was changed:
 * "claim" (a proxy entry), for IPv4 "route" (the kernel answers only for what
 * it would send out elsewhere), sysctls. Returns 0, or -1 with a fault.
 */
int claim_add(struct kernel *kernel, const struct addr *address,
	      const char *interface, struct fault *fault);

/* Undoes a change of these kinds. Returns 0, or -1 with a fault. */
int claim_undo(const struct change *change, struct fault *fault);
int claim_route_undo(const struct change *change, struct fault *fault);
