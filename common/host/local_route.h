/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * local_route.h - packets for an address that no interface has are for this
 * host
 */
#pragma once

#include "common/kernel/changes.h"

/*
 * The protocol number of these routes (`ip route show table local proto 117`).
 */
#define LOCAL_ROUTE_PROTOCOL 117

/*
 * Adds a route of type `local` for the address, as an address on lo would, and
 * notes it as a change. But the host answers no ARP for it, and does not use it
 * as a source. Returns 0, or -1 with a fault.
 */
int local_route_add(struct kernel *kernel, const struct addr *address,
		    struct fault *fault);
/* Are packets for the address for this host, by whatever route? */
bool local_route_is(const struct addr *address);
/* For change.h. */
int local_route_undo(const struct change *change, struct fault *fault);
