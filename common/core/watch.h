/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * watch.h - which decisions a watcher wants (see struct watch)
 *
 * The program asks before it writes anything, so that what a watcher wants is
 * not lost in what it does not.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/address.h"

/* What a filter looks at. */
struct watch_facts {
	const struct addr *source;
	const struct addr *destination;
	const struct addr *backend; /* 0: there is none */
	__be16 source_port;
	__be16 port; /* the VIP's and the backend's */
	__u8 protocol;
	__u8 reason;
};

INLINE int watch_is_end(const struct watch *watch, const struct addr *address,
			__be16 port)
{
	return addr_equal(&watch->address, address) &&
	       (!watch->port || watch->port == port);
}

INLINE int watch_wants(const struct watch *watch,
		       const struct watch_facts *facts)
{
	if (watch->filter & WATCH_REASON && watch->reason != facts->reason)
		return 0;
	if (!(watch->filter & WATCH_END))
		return 1;
	if (watch->protocol && watch->protocol != facts->protocol)
		return 0;
	return watch_is_end(watch, facts->source, facts->source_port) ||
	       watch_is_end(watch, facts->destination, facts->port) ||
	       (facts->backend &&
		watch_is_end(watch, facts->backend, facts->port));
}
