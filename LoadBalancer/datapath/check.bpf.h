/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.bpf.h - the way out of a health check: xdp_lbr's steps for packets of
 * this host's own
 *
 * xdp_lbr never sees what this host sends, and a socket that connects to a
 * backend's address learns nothing about the VIP. So the sockets of `lbr run`
 * are in a network namespace of its own and connect to the VIP. They send
 * through a veth pair, and this program runs at its far end in the host's
 * namespace. A packet is treated like a client's that came in by the interface
 * of the check: it is parsed, looked up, routed and rewritten by the same
 * functions. Only its backend is not selected: the packet's source says which
 * check, and so which backend, it is for. For the way back see
 * check_reply.bpf.h.
 *
 * Nothing is passed up, and nothing is counted among what clients sent: the
 * reason why a packet went no further is noted in its check.
 */
#pragma once

#include "LoadBalancer/datapath/check_reply.bpf.h"
#include "LoadBalancer/datapath/forward.bpf.h"
#include "LoadBalancer/datapath/next_hop.bpf.h"
#include "LoadBalancer/datapath/select.bpf.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"
#include "common/core/verifier.h"

/* As parse(), for what a socket sends: whole packets, and no ICMP errors. */
INLINE enum reason check_parse(struct xdp_md *ctx, struct packet *packet)
{
	enum reason reason = parse_ip(ctx, parse_link(ctx));
	void *data = READ_ANEW(ctx->data);
	void *end = READ_ANEW(ctx->data_end);
	struct packet *found = handed_packet();

	if (!found)
		return REASON_malformed;
	if (reason == REASON_NONE)
		reason = parse_above(ctx);
	return parsed_packet(packet, found, reason, data, end);
}

/* The check that a packet belongs to, or NULL. */
INLINE struct check *check_of(const struct packet *packet)
{
	struct handed *h = handed();

	if (!h)
		return NULL;
	h->check.own = packet->source;
	h->check.port = packet->source_port;
	h->check.protocol = packet->protocol;
	return bpf_map_lookup_elem(&checks, &h->check);
}

/*
 * The interface where it counts as having come in. NULL: it is no longer
 * attached.
 */
INLINE const struct interface *check_interface(const struct check *check)
{
	__u32 index = 0;
	struct interface *in = bpf_map_lookup_elem(&interfaces, &index);

	if (in && in->ifindex == check->ifindex)
		return in;
	/* By any of its MAC addresses. */
	index = interface_index(check->ifindex, 0, 0);
	return bpf_map_lookup_elem(&interfaces, &index);
}

INLINE enum reason check_forward(struct xdp_md *ctx, struct decision *d,
				 struct lookup *l, struct check **check)
{
	enum reason reason = check_parse(ctx, &d->packet);

	if (!d->packet.has_destination || reason != REASON_NONE)
		return reason;
	*check = check_of(&d->packet);
	l->in = *check ? check_interface(*check) : NULL;
	if (!l->in || !find_generation(d, l))
		return REASON_no_configuration;
	if (!take_entry(d, l, find_entry(d, l)))
		return REASON_unmatched;
	d->now = bpf_jiffies64();
	if (!name_flow(d))
		return REASON_no_configuration;
	l->backend = backend_of(d->generation_index, (*check)->backend);
	if (!l->backend || l->backend->service != l->service->id)
		return REASON_no_backend;
	reason = find_hop(ctx, d, l);
	/* This program runs in generic mode, whatever xdp_lbr's mode is. */
	if (reason == REASON_device_passed)
		reason = hop_has_ethernet(l->hop) ? REASON_NONE
						  : REASON_device_unfit;
	/* Nobody would receive it. */
	if (reason == REASON_NONE && d->packet.length > l->hop->mtu)
		return REASON_fib_too_big;
	return reason == REASON_NONE ? forward(ctx, d, l, reason) : reason;
}

SEC("xdp")
int xdp_lbr_check(struct xdp_md *ctx)
{
	struct decision d = {};
	struct lookup l = {};
	struct check *check = NULL;
	enum reason reason = check_forward(ctx, &d, &l, &check);

	if (check)
		check->reason = reason;
	if ((reason == REASON_forwarded || reason == REASON_redirected) &&
	    l.hop)
		return bpf_redirect(l.hop->out, 0);
	return XDP_DROP;
}
