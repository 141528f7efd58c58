/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * routes.h - how this host reaches an address, and what its routes look at
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/fault.h"
#include "common/core/abi.h"
#include "common/net/neighbours.h"

/* The next hop by which this host reaches an address, as the kernel says. */
struct next_hop {
	int ifindex;	    /* 0: there is no route */
	struct addr via;    /* the address itself where it is on-link */
	struct addr source; /* that this host would use; 0: it is not said */
	struct neighbour neighbour;
};
/* The same without the neighbour. */
int route_read(const struct addr *to, struct next_hop *hop,
	       struct fault *fault);
int next_hop_read(const struct addr *to, struct next_hop *hop,
		  struct fault *fault);

/* One of the ways to an address: out of an interface, to a neighbour there. */
struct way {
	int ifindex;
	struct addr via;
	__u32 locked; /* MTU, bytes, that its route is locked to; 0: it is not
		       */
};
#define MOST_WAYS 16 /* of one route that are looked at */
/*
 * All that the route to an address has; at most `room`. Returns their number,
 * 0 where there is no route, or -1 where the kernel does not say.
 */
int ways_read(const struct addr *to, struct way *ways, int room);

/*
 * May two packets to the same destination, come in by the same interface, have
 * different next hops? If so, `why` says why in a few words. What cannot be
 * read is taken for a yes.
 */
bool routes_by_flow(char *why, size_t size);

struct nlmsghdr;
/* Does this one message, about a route, a rule or a nexthop object, say so? */
bool message_by_flow(const struct nlmsghdr *message);

/*
 * What a message about a route says of its destination: the first and the last
 * address of its prefix. 0, or -1: it is about no route.
 */
int route_range(const struct nlmsghdr *message, struct addr *first,
		struct addr *last);
