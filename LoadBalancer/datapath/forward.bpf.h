/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forward.bpf.h - rewrite a packet by its service's method, and send it
 *
 * What a method does to a plain packet is inlined. All else is in a function
 * that the kernel verifies on its own, so that it does not burden the default.
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "LoadBalancer/datapath/methods/all.bpf.h" /* by make */
#include "LoadBalancer/datapath/methods/rewrite.bpf.h"
#include "LoadBalancer/datapath/select.bpf.h"
#include "LoadBalancer/datapath/vlan.bpf.h"
#include "common/core/packet_parse.h"
#include "common/core/hash.h"
#include "common/core/method.h"
#include "common/core/verifier.h"

/*
 * The same in registers, as a separately verified function can take it. Handed
 * in `parsed`, as others are, a packet costs 4 to 7 % more with dscp and l2, 2
 * % with ipip (medians of 5 interleaved rounds, one flow, AMD EPYC: dscp 104.9
 * and 109.1 ns).
 */
union forwarding_packet {
	struct {
		__u32 length;
		/*
		 * Only as wide as needed, so that the verifier knows how large
		 * they can be.
		 */
		__u32 l4_offset : 15;
		__u32 l3_offset : 7;
		__u32 is_ipv6 : 1;
		__u32 is_error : 1;
	};
	__u64 word;
};

union forwarding_method {
	struct {
		struct method method;
		__u8 reason;
		__u8 generation_index;
		__u8 protocol;
		__u8 flags;
		__u8 ttl;
	};
	__u64 word;
};

_Static_assert(L3_MOST < 1 << 7 && L4_MOST < 1 << 15 && GENERATIONS <= 256 &&
		       REASON_MAX <= 256,
	       "fields of union forwarding_*");
_Static_assert(sizeof(union forwarding_packet) == 8 &&
		       sizeof(union forwarding_method) == 8,
	       "words of union forwarding_*");

/*
 * REASON_NONE: it is ready to be sent. `key`: of its next hop, which also
 * identifies its backend.
 */
SEPARATE int forward_by_method(struct xdp_md *ctx, __u64 words, __u64 more,
			       __u32 key, __u64 hash)
{
	union forwarding_packet packet = {.word = words};
	union forwarding_method method = {.word = more};
	struct forwarding forwarding = {
		.ctx = ctx,
		.packet = {.is_ipv6 = packet.is_ipv6,
			   .is_error = packet.is_error,
			   .l3_offset = packet.l3_offset,
			   .l4_offset = packet.l4_offset,
			   .length = packet.length,
			   .protocol = method.protocol,
			   .flags = method.flags,
			   .ttl = method.ttl},
		.method = method.method,
		.reason = method.reason,
		.generation_index = method.generation_index,
		.hash = hash,
	};

	forwarding.hop = bpf_map_lookup_elem(&next_hops, &key);
	if (!forwarding.hop)
		return REASON_fib_error;
	forwarding.backend = backend_of(forwarding.generation_index,
					forwarding.hop->backend);
	if (!forwarding.backend ||
	    packet_locate(&forwarding.packet, (void *)(long)ctx->data,
			  (void *)(long)ctx->data_end))
		return REASON_fib_error;
	switch (forwarding.method.forward) {
#define METHOD_FORWARD(name, ...)                                              \
	case FORWARD_##name:                                                   \
		return name##_forward(&forwarding);
		METHODS(METHOD_FORWARD)
#undef METHOD_FORWARD
	default:
		return REASON_fib_error;
	}
}

INLINE enum reason method_forward(struct xdp_md *ctx, const struct decision *d,
				  const struct lookup *l, enum reason reason)
{
	union forwarding_packet packet = {.length = d->packet.length,
					  .l4_offset = d->packet.l4_offset,
					  .l3_offset = d->packet.l3_offset,
					  .is_ipv6 = d->packet.is_ipv6,
					  .is_error = d->packet.is_error};
	union forwarding_method method = {.method = l->service->method,
					  .reason = reason,
					  .generation_index =
						  d->generation_index,
					  .protocol = d->packet.protocol,
					  .flags = d->packet.flags,
					  .ttl = d->packet.ttl};

	return forward_by_method(ctx, packet.word, method.word,
				 d->next_hop_index, hash_packet(&d->packet));
}

/* As sent, when it is ready to be. */
INLINE enum reason forwarded(const struct lookup *l)
{
	return l->hop->out == l->in->device ? REASON_forwarded
					    : REASON_redirected;
}

/* By whatever method, or as its next hop demands. */
INLINE enum reason forward_rarely(struct xdp_md *ctx, struct decision *d,
				  const struct lookup *l, enum reason reason)
{
	if (reason == REASON_NONE && vlan_changes(d, l) && !vlan_set(ctx, d, l))
		return REASON_no_room;
	reason = method_forward(ctx, d, l, reason);
	return reason == REASON_NONE ? forwarded(l) : reason;
}

INLINE bool plain(struct decision *d, const struct lookup *l)
{
	switch (l->service->method.forward) {
#define METHOD_PLAIN(name, ...)                                                \
	case FORWARD_##name:                                                   \
		return name##_plain(d, l);
		METHODS(METHOD_PLAIN)
#undef METHOD_PLAIN
	default:
		return false;
	}
}

/*
 * `reason`: why the kernel has to forward it, or none.
 */
INLINE enum reason forward(struct xdp_md *ctx, struct decision *d,
			   const struct lookup *l, enum reason reason)
{
	if (reason != REASON_NONE || vlan_changes(d, l) || !plain(d, l))
		return forward_rarely(ctx, d, l, reason);
	return forwarded(l);
}
