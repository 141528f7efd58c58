/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forward.bpf.h - a packet on its way, by the method of its service
 *
 * The default goes straight. The others are a function that the kernel
 * verifies on its own, so that they do not weigh on the default.
 */
#pragma once

/* What a method says where only the kernel could go on, and cannot by it. */
INLINE enum reason method_stays(enum reason reason)
{
	return reason == REASON_neighbour_unresolved ? REASON_neighbour_missing
						     : REASON_fib_too_big;
}

/* What a method is given. */
struct way {
	struct xdp_md *ctx;
	const struct handed *h;
	const struct backend *backend;
	const struct cached_hop *hop;
	struct packet packet;
};

#include "LoadBalancer/methods/rewrite.bpf.h"
#include "LoadBalancer/methods/dscp.bpf.h"
#include "LoadBalancer/methods/ipip.bpf.h"
#include "LoadBalancer/methods/l2.bpf.h"

/* What the methods read of a packet; see hand_over_way(). */
INLINE void way_packet(struct packet *to, const struct packet *from)
{
	int i;

	to->is_ipv6 = from->is_ipv6;
	to->is_error = from->is_error;
	for (i = 0; i < 4; i++)
		to->destination.w[i] = from->destination.w[i];
	to->l3_offset = from->l3_offset;
	to->l4_offset = from->l4_offset;
	to->length = from->length;
	to->protocol = from->protocol;
	to->flags = from->flags;
	to->ttl = from->ttl;
}

/*
 * Forwards the packet of `scratch`. REASON_NONE: it is ready to be sent.
 * `reason` there: the kernel has to forward it, and why.
 */
__attribute__((noinline)) int forward_by_method(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct handed *h = bpf_map_lookup_elem(&scratch, &zero);
	struct way way = {.ctx = ctx, .h = h};
	__u32 at;

	if (!h)
		return REASON_fib_error;
	way.hop = bpf_map_lookup_elem(&next_hops, &h->decision.hop_key);
	way.backend = backend_of(h->decision.slot, h->decision.backend_id);
	way_packet(&way.packet, &h->decision.packet);
	at = way.packet.l3_offset;
	/* Before Linux 6.3 the verifier forgets a comparison, but not this. */
	asm volatile("" : "+r"(at));
	way.packet.l3_offset = at & L3_MOST;
	if (!way.hop || !way.backend || data + sizeof(struct ethhdr) > end ||
	    packet_locate(&way.packet, data, end))
		return REASON_fib_error;
	switch (h->method.forward) {
#define METHOD_FORWARD(name, NAME, crosses, text)                              \
	case FORWARD_##NAME:                                                   \
		return name##_forward(&way);
		METHODS(METHOD_FORWARD)
#undef METHOD_FORWARD
	default:
		return REASON_fib_error;
	}
}

/* `reason`: the kernel has to forward it, and why; or none. */
INLINE enum reason forward(struct xdp_md *ctx, struct decision *d,
			   const struct found *f, enum reason reason)
{
	struct handed *h;

	if (reason == REASON_NONE && !retag(ctx, d, f))
		return REASON_no_room;
	/* From here on nothing can fail, by the default. */
	if (is_plain(&f->service->method)) {
		if (reason != REASON_NONE) {
			plain_hand_over(d, f);
			return reason;
		}
		plain_forward(d, f);
	} else {
		h = hand_over_way(d, f);
		if (!h)
			return REASON_fib_error;
		way_packet(&h->decision.packet, &d->packet);
		h->reason = reason;
		reason = forward_by_method(ctx);
		if (reason != REASON_NONE)
			return reason;
	}
	return f->hop->out == f->in->device ? REASON_forwarded
					    : REASON_redirected;
}
