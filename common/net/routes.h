/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * routes.h - how this host reaches an address, and what its routes depend on
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/fault.h"
#include "common/core/abi.h"
#include "common/net/neighbours.h"

/*
 * The next hop by which this host reaches an address, according to the kernel.
 */
struct next_hop {
	int ifindex;	    /* 0: there is no route */
	struct addr via;    /* the address itself if it is on-link */
	struct addr source; /* the source this host would use; 0: none */
	struct neighbour neighbour;
};
/* The same without the neighbour. */
int route_read(const struct addr *to, struct next_hop *hop,
	       struct fault *fault);
int next_hop_read(const struct addr *to, struct next_hop *hop,
		  struct fault *fault);

/* A next hop of the route to an address: an interface, and who is there. */
struct route_hop {
	int ifindex;
	struct addr via;
	__u32 locked; /* MTU that its route is locked to, bytes; 0: none */
};
#define MOST_ROUTE_HOPS 16 /* next hops of one route that are read */
/* The index of the first one with both, or -1. */
int route_hop_find(const struct route_hop *hops, int count, int ifindex,
		   const struct addr *via);
/*
 * Asks for the route to each address, by one socket, and calls each() with all
 * next hops of it, at most MOST_ROUTE_HOPS: 0 if there is no route, -1 if the
 * kernel has not said. True: no more need to be asked. Returns 0, or -1 if the
 * kernel does not answer.
 */
typedef bool route_hops_fn(void *data, const struct addr *to,
			   const struct route_hop *hops, int count);
int route_hops_each(const struct addr *to, size_t count, route_hops_fn *each,
		    void *data);
/*
 * All next hops of the route to an address; at most `room`. Returns their
 * number, 0 if there is no route, or -1 if the kernel does not answer.
 */
int route_hops_read(const struct addr *to, struct route_hop *hops, int room);

/*
 * May two packets with the same destination and incoming interface have
 * different next hops? If so, `why` says why in a few words. If something
 * cannot be read: yes.
 */
bool routes_by_flow(char *why, size_t size);

struct nlmsghdr;
/* Does this message, about a route, a rule or a nexthop object, say so? */
bool message_by_flow(const struct nlmsghdr *message);

/*
 * The destination of a message about a route: the first and the last address of
 * its prefix. 0, or -1: it is about no route.
 */
int route_range(const struct nlmsghdr *message, struct addr *first,
		struct addr *last);
