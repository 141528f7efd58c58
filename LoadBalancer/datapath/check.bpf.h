/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.bpf.h - the way of a health check: xdp_lbr's steps, for packets of this
 * host's own
 *
 * What this host sends never meets xdp_lbr, and a socket that is connected to a
 * backend's address hears of the VIP instead. So the sockets of `lbr run` are
 * in a network namespace of its own and connect to the VIP, by way of a veth
 * pair whose far end, in this host's namespace, runs this. A packet goes on as
 * one of a client's would that came in by the interface of the check: parsed,
 * found, routed and rewritten by the same functions. Only its backend is not
 * selected: it is that of the check, which the packet's source tells. For the
 * way back see check_reply.bpf.h.
 *
 * Nothing is passed up, and nothing is counted among what clients sent: why a
 * packet went no further is noted in its check.
 */
#pragma once

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

/* Where it counts as come in. NULL: the interface is attached no more. */
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
				 struct found *f, struct check **check)
{
	enum reason reason = check_parse(ctx, &d->packet);

	if (!d->packet.has_destination || reason != REASON_NONE)
		return reason;
	*check = check_of(&d->packet);
	f->in = *check ? check_interface(*check) : NULL;
	if (!f->in || !find_generation(d, f))
		return REASON_no_configuration;
	if (!take_entry(d, f, find_entry(d, f)))
		return REASON_unmatched;
	d->now = bpf_jiffies64();
	if (!name_flow(d))
		return REASON_no_configuration;
	f->backend = backend_of(d->slot, (*check)->backend);
	if (!f->backend || f->backend->service != f->service->id)
		return REASON_no_backend;
	reason = find_hop(ctx, d, f);
	/* This one runs in generic mode, whatever xdp_lbr does. */
	if (reason == REASON_device_passed)
		reason = hop_has_ethernet(f->hop) ? REASON_NONE
						  : REASON_device_unfit;
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
