/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * advmss.h - the segment size that this host announces, route by route
 *
 * A route's advmss is what goes into the MSS option of a SYN, and of the answer
 * to one, that leaves by it: so it bounds what the other end sends.
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Has this host announce `advmss` bytes on all of a family's routes that lead
 * to clients; 0: what they announced before. Each is said and noted. Returns 0,
 * or -1 with a fault.
 */
int advmss_change(struct kernel *kernel, int family, __u32 advmss,
		  struct fault *fault);
/* Puts one back. */
int advmss_undo(const struct change *change, struct fault *fault);
