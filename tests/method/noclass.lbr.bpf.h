/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * noclass.bpf.h - the method `noclass`, at the load balancer: as `rewrite`, and
 * the class of service that the client has set (DSCP) is cleared
 */
#pragma once

#include "LoadBalancer/datapath/methods/rewrite.bpf.h"
#include "common/core/dscp.h"

INLINE void noclass_question(struct bpf_fib_lookup *question,
			     const struct handed *h,
			     const struct backend *backend)
{
	const struct decision *d = &h->decision;

	packet_question(question, h, backend,
			dscp_replace(h->tos, !!d->packet.is_ipv6, 0));
}

INLINE bool noclass_plain(struct decision *d, const struct lookup *l)
{
	if (!rewrite_plain(d, l))
		return false;
	dscp_set(&d->packet, 0);
	return true;
}

INLINE enum reason noclass_forward(struct forwarding *forwarding)
{
	rewrite_address(forwarding);
	dscp_set(&forwarding->packet, 0);
	rewrite_rest(forwarding);
	return forwarding->reason;
}
