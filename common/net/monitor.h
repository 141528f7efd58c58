/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * monitor.h - hear by rtnetlink what changes on this host
 *
 * Messages come in bursts: an interface that goes takes its addresses, routes
 * and neighbours along; a BGP daemon writes thousands of routes a second. So
 * they are gathered for MONITOR_GATHER and handled together. Handling takes at
 * most a fifth of the time, however many there are.
 */
#pragma once

#include <event2/event.h>
#include <libmnl/libmnl.h>

#include "common/base/fault.h"

#define MONITOR_GATHER 10 /* milliseconds */

enum monitor_what {
	MONITOR_LINK = 1,
	MONITOR_ADDRESS = 2,
	MONITOR_NEIGHBOUR = 4,
	MONITOR_ROUTE = 8, /* or a nexthop object */
	MONITOR_RULE = 16,
	MONITOR_SETTING = 32, /* RTM_NEWNETCONF */
	MONITOR_ALL = 63,     /* messages were lost: look at everything */
};

struct monitor {
	struct mnl_socket *socket;
	struct event *heard, *due;
	/*
	 * Does this message matter? Called for each message, so it must be
	 * quick. `what` says what it is about (enum monitor_what). Returns what
	 * has to be looked at, or 0.
	 */
	unsigned int (*matters)(void *data, const struct nlmsghdr *message,
				enum monitor_what what);
	/*
	 * Looks at `what` of the host. Returns what could not be looked at and
	 * has to be tried again soon, or 0.
	 */
	unsigned int (*look)(void *data, unsigned int what);
	void *data;
	unsigned int what; /* still to be looked at */
};

/*
 * Listens in the caller's network namespace; `matters`, `look` and `data` are
 * set. Returns 0, or -1 with a fault. monitor_stop() is due in every case.
 */
int monitor_start(struct monitor *monitor, struct event_base *base,
		  struct fault *fault);
void monitor_stop(struct monitor *monitor);
/* As if a message had said it. */
void monitor_ask(struct monitor *monitor, unsigned int what);
