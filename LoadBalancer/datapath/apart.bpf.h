/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apart.bpf.h - services whose packets leave xdp_lbr to a program of their own
 *
 * What such a service needs would burden all others: instructions that not
 * every kernel has, or more to verify. So its packets leave by a tail call,
 * with the decision in `scratch` and a stack that is empty again. The other
 * program takes the packet up, and ends as xdp_lbr does (leave.bpf.h).
 *
 * Nobody else pays for it: such a service is told by the same question as one
 * that is being removed.
 */
#pragma once

#include "LoadBalancer/datapath/service.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/packet_parse.h"
#include "common/core/verifier.h"

/*
 * Calls the program for the packet. `released`: it came to the service's
 * `release` port. Returns only if there is no such program.
 */
INLINE enum reason apart(struct xdp_md *ctx, const struct decision *d,
			 const struct lookup *l, bool released)
{
	struct handed *h = hand_decision(d);

	if (!h || !constants.has_apart)
		return REASON_no_backend;
	h->ifindex = l->in->ifindex;
	h->mac = mac_number(l->in->mac);
	h->outcome = REASON_no_backend;
	h->replaced = false;
	h->released = released;
	bpf_tail_call(ctx, &programs, APART_workers);
	return REASON_no_backend;
}

/*
 * In that program: the decision, and what was looked up for it. False: never,
 * but for the verifier.
 */
INLINE bool take_up(struct xdp_md *ctx, struct decision *d, struct lookup *l)
{
	struct handed *h = handed();

	if (!h)
		return false;
	*d = h->decision;
	TELL(d->packet.has_destination, 1);
	l->in = interface_with(h->ifindex, h->mac);
	return l->in && generation_of(d, l) && find_service_again(d, l) &&
	       !packet_locate(&d->packet, (void *)(long)ctx->data,
			      (void *)(long)ctx->data_end);
}
