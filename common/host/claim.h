/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * claim.h - answer on a LAN for addresses that the host does not have: proxy
 * ARP (RFC 1027), proxy ND (RFC 4861 7.2.8)
 */
#pragma once

#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"

/*
 * Answers for `address` on an interface, without delay. Notes the changes:
 * "claim" (a proxy entry), for IPv4 "route" (the kernel only answers for
 * addresses that it would send elsewhere), sysctls. Returns 0, or -1 with a
 * fault.
 */
int claim_add(struct kernel *kernel, const struct addr *address,
	      const char *interface, struct fault *fault);

/* Undoes one of these changes. Returns 0, or -1 with a fault. */
int claim_undo(const struct change *change, struct fault *fault);
int claim_route_undo(const struct change *change, struct fault *fault);
