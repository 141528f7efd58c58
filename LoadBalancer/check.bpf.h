/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.bpf.h - the way of a health check: xdp_lbr's steps, for packets of this
 * host's own
 *
 * What this host sends never meets xdp_lbr, and a socket that is connected to a
 * backend's address hears of the VIP instead. So the sockets of `lbr run`
 * connect to the VIP, by way of a veth pair whose far end runs this. A packet
 * goes on as one of a client's would that came in by the first interface of
 * xdp_lbr's: parsed, found, routed and rewritten by the same functions. Only
 * its backend is not selected: it is that of the check, which the packet's
 * source tells. The reply comes from the VIP to this host, a packet like any.
 *
 * Nothing is passed up, and nothing is counted among what clients sent: why a
 * packet went no further is noted in its check.
 */
#pragma once

#include "common/core/check.h"

MAP(checks, LRU_HASH, struct check_key, struct check, MAX_CHECKS);

/* As parse(), of what a socket sends: whole, and no ICMP error. */
INLINE enum reason check_parse(struct xdp_md *ctx, struct packet *packet)
{
	enum reason reason = parse_ip(ctx, parse_link(ctx));
	void *data = (void *)(long)*(volatile __u32 *)&ctx->data;
	void *end = (void *)(long)*(volatile __u32 *)&ctx->data_end;
	__u32 zero = 0;
	struct packet *found = bpf_map_lookup_elem(&parsed, &zero);

	if (!found)
		return REASON_malformed;
	if (reason == REASON_NONE)
		reason = parse_above(ctx);
	return parsed_packet(packet, found, reason, data, end);
}

/* The check that the packet is of. NULL: of none. */
INLINE struct check *check_of(const struct packet *packet)
{
	struct check_key key = {packet->source, packet->source_port,
				packet->protocol, 0};

	return bpf_map_lookup_elem(&checks, &key);
}

INLINE enum reason check_forward(struct xdp_md *ctx, struct decision *d,
				 struct found *f, struct check **check)
{
	enum reason reason = check_parse(ctx, &d->packet);
	__u32 first = 0;

	if (!d->packet.has_destination || reason != REASON_NONE)
		return reason;
	*check = check_of(&d->packet);
	f->in = bpf_map_lookup_elem(&interfaces, &first);
	if (!*check || !f->in || !find_generation(d, f))
		return REASON_no_configuration;
	if (!find_service(d, f))
		return REASON_unmatched;
	d->now = bpf_jiffies64();
	d->hash = flow_hash(&d->packet);
	f->backend = backend_of(d->slot, (*check)->backend);
	if (!f->backend || f->backend->service != f->service->id)
		return REASON_no_backend;
	reason = find_hop(ctx, d, f);
	/* Nobody would hear of it. */
	if (reason == REASON_NONE && d->packet.length > f->hop->mtu)
		return REASON_fib_too_big;
	return reason == REASON_NONE ? forward(ctx, d, f, reason) : reason;
}

SEC("xdp")
int xdp_lbr_check(struct xdp_md *ctx)
{
	struct decision d = {};
	struct found f = {};
	struct check *check = NULL;
	enum reason reason = check_forward(ctx, &d, &f, &check);

	if (check)
		check->reason = reason;
	if ((reason == REASON_forwarded || reason == REASON_redirected) &&
	    f.hop)
		return bpf_redirect(f.hop->out, 0);
	return XDP_DROP;
}
