/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * announce_routes.h - `blackhole` routes to VIPs, in a table of their own
 *
 * bird learns such a route from the kernel and passes it on; it does not with
 * one of type `local`. For the kernel they mean nothing, as no rule names the
 * table.
 */
#pragma once

#include "common/core/abi.h"

struct announce_route {
	struct addr vip;
	__u32 table;
	__u8 protocol; /* rtm_protocol */
	__u32 metric;
};

/* 0, -EEXIST: it has a route of this metric; or another -errno. */
int announce_route_add(const struct announce_route *route);
/* Removes one; metric 0: of any. 0, -ESRCH: there is none; or another -errno.
 */
int announce_route_remove(const struct announce_route *route);
/*
 * Calls each() for the routes of a table, of both families; `bits`: the length
 * of the prefix. Ends when it returns 1. Returns 0, 1, or -errno.
 */
int announce_routes_each(__u32 table,
			 int (*each)(const struct announce_route *route,
				     __u8 bits, void *data),
			 void *data);
