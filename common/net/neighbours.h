/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * neighbours.h - the kernel's entries for the machines on a segment
 *
 * XDP asks for a neighbour's MAC address and never causes it to be looked up
 * or looked after: an entry that nobody else uses goes stale and stays on a MAC
 * address that is no longer there. A managed entry (Linux 5.16) is resolved and
 * probed by the kernel for as long as it exists.
 */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"
#include "common/core/abi.h"

struct neighbour {
	bool there;
	bool resolved;	   /* it has a MAC address that is used */
	bool managed;	   /* the kernel keeps it fresh */
	bool permanent;	   /* somebody has said what it is */
	const char *state; /* "reachable", "stale", ..., "none" */
	__u8 mac[6];
};

void neighbour_read(int ifindex, const struct addr *address,
		    struct neighbour *neighbour);

/*
 * Does this kernel know managed entries? One that does not takes the message,
 * and makes of an entry one that is not resolved. 0, or -1 with a fault.
 */
int neighbours_possible(struct fault *fault);

/* Each returns 0 or -errno. */
int neighbour_manage(int ifindex, const struct addr *address);
/* It stays, as stale, and nobody looks after it. */
int neighbour_release(int ifindex, const struct addr *address,
		      const struct neighbour *is);
int neighbour_remove(int ifindex, const struct addr *address);
