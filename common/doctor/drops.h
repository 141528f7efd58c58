/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drops.h - what a program loses just now, by its counters
 */
#pragma once

#include "common/core/reason.h"
#include "common/doctor/doctor.h"

/* What to do about a reason that rises. */
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

/* The counters, when doctor begins; 0 where they cannot be read. */
void drops_begin(struct doctor *doctor);

/*
 * What each reason has counted since, in half a second or more: waits until it
 * is that long.
 */
void drops_end(const struct doctor *doctor, __u64 risen[REASON_MAX]);

/*
 * Tells of each reason of `advice` (ends with a command of NULL) that has
 * risen, as part of `all` packets, those for services; and of each other one
 * that drops packets.
 */
void drops_tell(struct doctor *doctor, const __u64 risen[REASON_MAX], __u64 all,
		const struct drop_advice *advice);
