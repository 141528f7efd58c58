/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dscp.bpf.h - the method `dscp`, at the load balancer (common/core/dscp.h)
 *
 * As `rewrite`; in addition the packet's DSCP says which of the backend's VIPs
 * it is for. A packet without a mark was sent to the backend itself.
 */
#pragma once

#include "LoadBalancer/datapath/methods/rewrite.bpf.h"
#include "common/core/dscp.h"

INLINE void dscp_question(struct bpf_fib_lookup *question,
			  const struct handed *h, const struct backend *backend)
{
	const struct decision *d = &h->decision;

	packet_question(
		question, h, backend,
		dscp_replace(h->tos, !!d->packet.is_ipv6, h->method.dscp));
}

INLINE bool dscp_plain(struct decision *d, const struct lookup *l)
{
	if (!rewrite_plain(d, l))
		return false;
	dscp_set(&d->packet, l->service->method.dscp);
	return true;
}

INLINE enum reason dscp_forward(struct forwarding *forwarding)
{
	rewrite_address(forwarding);
	dscp_set(&forwarding->packet, forwarding->method.dscp);
	rewrite_rest(forwarding);
	return forwarding->reason;
}
