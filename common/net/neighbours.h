/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * neighbours.h - the kernel's entries for the machines on a segment
 *
 * XDP reads a neighbour's MAC address but never lets the kernel resolve or
 * probe it: an entry that nobody else uses becomes stale and keeps a MAC
 * address that may have changed. The kernel resolves and probes a managed entry
 * (Linux 5.16) for as long as it exists.
 */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"
#include "common/core/abi.h"

struct route_hop;
struct neighbour {
	bool there;
	bool resolved;	   /* it has a usable MAC address */
	bool managed;	   /* the kernel probes it */
	bool permanent;	   /* set by somebody, never expires */
	const char *state; /* "reachable", "stale", ..., "none" */
	__u8 mac[6];
};

void neighbour_read(int ifindex, const struct addr *address,
		    struct neighbour *neighbour);

/*
 * Does this kernel have managed entries? One that does not accepts the message,
 * and makes the entry unresolved. 0, or -1 with a fault.
 */
int neighbours_possible(struct fault *fault);

/* Each returns 0 or -errno. */
int neighbour_manage(int ifindex, const struct addr *address);
/*
 * Has the kernel ask for the MAC address of one that has none, as if it had a
 * packet for it; managed or not, and on each kernel.
 */
int neighbour_ask(int ifindex, const struct addr *address);
/*
 * Uses an entry, as a packet would: the kernel asks for its MAC address, or
 * whether that is still the same if nothing was heard for a while. A managed
 * entry is no longer managed then.
 */
int neighbour_use(int ifindex, const struct addr *address);
/*
 * Waits until each next hop that was asked for its MAC address has one, at most
 * half a second for all. Of those without an interface nobody is asked.
 * `is_asked`: a flag for each; NULL: all were.
 */
void neighbours_wait(const struct route_hop *hops, const bool *is_asked,
		     int count);
/* The entry stays, as stale, and is no longer managed. */
int neighbour_release(int ifindex, const struct addr *address,
		      const struct neighbour *is);
int neighbour_remove(int ifindex, const struct addr *address);
