/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drops.h - what a program drops at the moment, by its counters
 */
#pragma once

#include "common/core/reason.h"
#include "common/doctor/doctor.h"

/* What to do if a reason rises. */
struct drop_advice {
	enum reason reason;
	enum health health;
	const char *command; /* FILE and IFACE stand for this host's own */
};

/*
 * How many packets of this host's the kernel had no route for (OutNoRoutes of
 * /proc/net/snmp and snmp6), since it booted; 0 where it does not say.
 */
long long no_routes_read(bool ipv6);

/* The counters when doctor begins; 0 if they cannot be read. */
void drops_begin(struct doctor *doctor);

/*
 * How much each reason has risen since then, within at least half a second:
 * waits until that has passed.
 */
void drops_end(const struct doctor *doctor, __u64 risen[REASON_MAX]);

/*
 * Reports each reason of `advice` (the last has a command of NULL) that has
 * risen, as part of `all` packets for services, and each other one that drops
 * packets.
 */
void drops_tell(struct doctor *doctor, const __u64 risen[REASON_MAX], __u64 all,
		const struct drop_advice *advice);
