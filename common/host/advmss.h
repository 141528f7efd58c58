/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * advmss.h - set the TCP segment size that this host announces, route by route
 *
 * A route's advmss is the MSS option of SYNs and SYN-ACKs that leave by the
 * route, so it limits the segments that the other end sends.
 */
#pragma once

#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"

/*
 * Sets `advmss` (bytes) on all of a family's routes that lead to clients; 0:
 * restores what they announced before. Prints and notes each change. Returns 0,
 * or -1 with a fault.
 */
int advmss_change(struct kernel *kernel, int family, __u32 advmss,
		  struct fault *fault);
/* Restores one route. */
int advmss_undo(const struct change *change, struct fault *fault);
