/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * path_mtus.h - how large a packet reaches a backend, according to the program
 */
#pragma once

#include <jansson.h>

#include "LoadBalancer/generation/read.h"
#include "common/net/routes.h"

/* Collects the MTUs of locked routes, and writes them; see neighbours.c. */
struct route_mtus {
	struct route_mtu {
		struct addr to;
		__u32 mtu;
	} * rows;
	size_t count;
	int ifindex;	/* whose MTU for IPv6 was read last; 0: none */
	__u32 ipv6_mtu; /* it */
};

/*
 * Notes the smallest of the `count` next hops of a backend. Backends come in
 * memory order.
 */
void route_mtus_note(struct route_mtus *mtus, const struct addr *backend,
		     const struct route_hop *hops, int count);
/* Makes the map equal to them, and frees them. */
void route_mtus_write(const struct kernel *kernel, struct route_mtus *mtus);

/*
 * The MTU of the path to a backend, without an outer header, and where it comes
 * from: "interface", "route", "file" or "router". 0: there is no path. `file`:
 * the backend's `mtu:`.
 */
struct path_size {
	__u32 mtu;
	const char *by;
};
struct path_size path_size(const struct kernel *kernel,
			   const struct addr *backend, __u32 file);

/* A section of `show`: what routers have reported, and how long it is valid. */
json_t *path_mtus_rows(const struct kernel *kernel, struct fault *fault);
/*
 * Forgets what was reported for the path to a backend; NULL: to all. Returns
 * how many, or -1 with errno.
 */
int path_mtus_forget(const struct kernel *kernel, const struct addr *backend);
/* The same for backends whose `mtu:` differs between the file and what runs. */
void path_mtus_settle(const struct kernel *kernel, const struct config *config);
