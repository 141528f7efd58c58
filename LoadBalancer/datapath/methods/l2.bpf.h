/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * l2.bpf.h - the method `l2`, at the load balancer: sets the backend's MAC
 * address, and changes nothing else but the TTL
 *
 * Only reaches backends on the same segment. The kernel cannot forward these
 * packets: it would look for a route to the VIP. While a next hop has no MAC
 * address, they wait for it (lbr_waiting).
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "common/core/rewrite.h"

INLINE void l2_question(struct bpf_fib_lookup *question, const struct handed *h,
			const struct backend *backend)
{
	packet_question(question, h, backend, h->tos);
}

INLINE bool l2_plain(struct decision *d, const struct lookup *l)
{
	if (!addr_equal(&l->hop->via, &l->backend->address))
		return false;
	rewrite_ttl(&d->packet, d->packet.ttl - 1);
	rewrite_macs(&d->packet, l->hop->destination, l->hop->source);
	return true;
}

INLINE enum reason l2_forward(struct forwarding *forwarding)
{
	if (!addr_equal(&forwarding->hop->via, &forwarding->backend->address))
		return REASON_off_link;
	if (forwarding->reason != REASON_NONE &&
	    !method_waits(forwarding, !!forwarding->packet.is_ipv6))
		return method_stays(forwarding->reason);
	rewrite_ttl(&forwarding->packet, forwarding->packet.ttl - 1);
	return method_macs(forwarding);
}
