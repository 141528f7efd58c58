/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * upkeep.h - `run` keeps what `up` and `apply` read from this host, or set on
 * it, as it has to be while the host changes
 *
 * Interfaces that are renamed or made again, MAC and IP addresses, settings:
 * here. What only one of the tools needs (next hops; who is listed): `also`.
 */
#pragma once

#include "common/host/change.h"
#include "common/kernel/lock.h"
#include "common/net/monitor.h"

struct upkeep {
	const struct role *role;
	/*
	 * The configuration that runs, which stays the callee's; NULL: there is
	 * none, or it is not known. The kernel is open, for a change.
	 */
	const struct config *(*config)(void *data, struct kernel *kernel);
	/* As struct monitor's, for neighbours and routes. NULL: none matters.
	 */
	unsigned int (*matters)(void *data, const struct nlmsghdr *message,
				enum monitor_what what);
	/* Looks at `what`, of enum monitor_what. Returns 0, or -1. */
	int (*also)(void *data, struct kernel *kernel,
		    const struct config *config, unsigned int what,
		    struct fault *fault);
	void *data;
	/* The rest is upkeep.c's: */
	struct monitor monitor;
	struct again again;
	struct lock_waiting waiting;
	struct event *poll;
	int gone_count;	   /* interfaces of ours that it has said are gone */
	struct fault said; /* last, not to be said again and again ... */
	bool failed;	   /* ... in this look */
};

/* The first six are set. 0, or -1 with a fault; upkeep_stop() is due always. */
int upkeep_start(struct upkeep *upkeep, struct event_base *base,
		 struct fault *fault);
void upkeep_stop(struct upkeep *upkeep);
/* Another configuration runs: looks at everything. */
void upkeep_all(struct upkeep *upkeep);
