/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * routes.h - how this host reaches an address, and what its routes look at
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/core/abi.h"
#include "common/tool/fault.h"

/* The next hop by which this host reaches an address, as the kernel says. */
struct next_hop {
	int ifindex;	 /* 0: there is no route */
	struct addr via; /* the address itself where it is on-link */
	__u32 mtu;	 /* bytes; 0: the interface's own */
	__u8 mac[6];
	const char *neighbour; /* "reachable", "stale", ..., "none" */
};
int next_hop_read(const struct addr *to, struct next_hop *hop,
		  struct fault *fault);

/*
 * May two packets to the same destination, come in by the same interface, have
 * different next hops? If so, `why` says why in a few words. What cannot be
 * read is taken for a yes.
 */
bool routes_by_flow(char *why, size_t size);
