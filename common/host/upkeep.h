/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * upkeep.h - while the host changes, `run` repeats what `up` and `apply` read
 * or set
 *
 * Interfaces that are renamed or made again, MAC and IP addresses, and settings
 * are followed here. What only one of the tools needs (next hops; what is
 * listed) is in `also`.
 */
#pragma once

#include "common/host/change.h"
#include "common/kernel/lock.h"
#include "common/net/monitor.h"

/* What is one tool's own; each is called with the `data` of upkeep_start(). */
struct upkeep_calls {
	/*
	 * The running configuration, owned by the callee; NULL: there is none,
	 * or it is not known. The kernel is open for a change.
	 */
	const struct config *(*config)(void *data, struct kernel *kernel);
	/*
	 * As in struct monitor, for neighbours and routes. NULL: none matters.
	 */
	unsigned int (*matters)(void *data, const struct nlmsghdr *message,
				enum monitor_what what);
	/*
	 * Looks at `what`, of enum monitor_what. Returns 0, -1 with a fault, or
	 * after how many milliseconds it has to look again.
	 */
	int (*also)(void *data, struct kernel *kernel,
		    const struct config *config, unsigned int what,
		    struct fault *fault);
};

/* All zero, or in use; its members belong to upkeep.c. */
struct upkeep {
	const struct role *role;
	const struct upkeep_calls *calls;
	void *data;
	struct monitor monitor;
	struct again again;
	struct lock_waiting waiting;
	struct event *poll;
	int gone_count;	   /* interfaces of ours that were reported as gone */
	struct fault said; /* the last report, not to be repeated ... */
	bool failed;	   /* ... in this look */
};

/* 0, or -1 with a fault; upkeep_stop() is always due. */
int upkeep_start(struct upkeep *upkeep, const struct role *role,
		 const struct upkeep_calls *calls, void *data,
		 struct event_base *base, struct fault *fault);
void upkeep_stop(struct upkeep *upkeep);
/* Another configuration runs: looks at everything. */
void upkeep_all(struct upkeep *upkeep);
