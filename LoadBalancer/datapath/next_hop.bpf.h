/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * next_hop.bpf.h - the next hop: from the cache, or from the FIB
 *
 * Asking the FIB costs more than the rest of the data path together, and it
 * gives the same answer until somebody changes a route, a rule or a neighbour.
 * So an answer is cached, on the CPU that asked, for `next-hop-age`: every
 * change is followed within that time.
 *
 * Which packets share an answer? If rules and routes depend only on the
 * destination: all to the same backend that came in by the same interface. If a
 * route has several next hops, or a rule depends on the source: those of one
 * flow. The tool knows which (next_hops_by_flow). Only a next hop with its MAC
 * address is cached.
 */
#pragma once

#include "LoadBalancer/datapath/icmp_error.bpf.h"
#include "LoadBalancer/datapath/methods/all.bpf.h" /* by make */
#include "LoadBalancer/datapath/path_mtu.bpf.h"
#include "LoadBalancer/datapath/select.bpf.h"
#include "LoadBalancer/datapath/vlan.bpf.h"
#include "common/core/age.h"
#include "common/core/route.h"
#include "common/core/verifier.h"

/* Is it the answer to this very question, and young enough? */
INLINE bool hop_is_known(const struct decision *d, const struct lookup *l,
			 __u64 flow)
{
	return age(d->now, l->hop->asked) < l->generation->next_hop_age &&
	       l->hop->backend == l->backend->id &&
	       l->hop->in == l->in->device && l->hop->flow == flow;
}

/* The type of service, or the flow label and everything before it. */
INLINE __u32 hop_tos(const struct decision *d)
{
	return d->packet.is_ipv6 ? (FORCE __u32) * (__be32 *)d->packet.ipv6
				 : d->packet.ipv4->tos;
}

/*
 * Which packets share an answer: 0, all for the backend; else those of one
 * flow.
 */
INLINE __u64 next_hop_group(const struct decision *d, const struct lookup *l)
{
	if (!l->generation->next_hops_by_flow)
		return 0;
	return ((__u64)hop_tos(d) << 32 ^ d->hash) | 1;
}

INLINE __u32 next_hop_index(const struct lookup *l, __u64 flow)
{
	return route_cell(l->backend->id, l->in->device, flow);
}

/* Can XDP not send out of it? See enum device_lacks. */
INLINE __u32 device_lacks(__u32 ifindex)
{
	__u32 *lacks = bpf_map_lookup_elem(&devices, &ifindex);

	return lacks ? *lacks : 0;
}

/*
 * Without an Ethernet header there are no MAC addresses. Zeros show that for a
 * device that was added after the tool looked; tunnels have other bytes there.
 */
INLINE bool hop_has_ethernet(const struct cached_hop *hop)
{
	return !(device_lacks(hop->out) & DEVICE_NO_ETHERNET) &&
	       (mac_number(hop->source) || mac_number(hop->destination));
}

INLINE bool hop_takes_frames(const struct cached_hop *hop,
			     const struct handed *h)
{
	if (hop->out == h->device)
		return true;
	return hop_has_ethernet(hop) &&
	       (h->generic || !(device_lacks(hop->out) & DEVICE_NO_XMIT));
}

/* The MTU of an interface, without any route's; see route_mtu(). */
INLINE __u32 device_mtu(struct xdp_md *ctx, __u32 ifindex)
{
	__u32 mtu = 0;

	/* The result is valid whether this frame fits or not. */
	if (constants.has_mtu)
		bpf_check_mtu(ctx, ifindex, &mtu, 0, 0);
	return mtu ?: ETH_DATA_LEN;
}

/* Sets both MTUs of the hop, with what the FIB has said. */
INLINE void hop_narrow(struct xdp_md *ctx, const struct handed *h,
		       const struct backend *backend, struct cached_hop *hop,
		       __u32 said)
{
	__u32 *found = bpf_map_lookup_elem(&route_mtus, &backend->address);
	__u32 locked = found ? *found : 0;
	struct route_limits limits = {
		.device = device_mtu(ctx, hop->out),
		.file = backend->mtu,
		.overhead = method_overhead(&h->method, &backend->address),
	};

	/* Linux 5.12 is the first whose FIB says an MTU, and that has the
	 * helper. */
	limits.link = route_mtu(limits.device,
				constants.has_mtu ? said : locked, locked);
	if (limits.overhead)
		limits.told = path_mtu(&backend->address, h->decision.now);
	route_narrow(hop, &limits, !!h->decision.packet.is_ipv6);
}

/* Fills in what the FIB is asked. False: there is no such method. */
INLINE bool method_question(struct bpf_fib_lookup *question,
			    const struct handed *h,
			    const struct backend *backend)
{
	switch (h->method.forward) {
#define METHOD_QUESTION(name, ...)                                             \
	case FORWARD_##name:                                                   \
		name##_question(question, h, backend);                         \
		return true;
		METHODS(METHOD_QUESTION)
#undef METHOD_QUESTION
	default:
		return false;
	}
}

/*
 * Asks the FIB for the decision in `scratch`, and writes there the answer and,
 * at its index, the next hop. Returns REASON_NONE; REASON_device_passed if only
 * the kernel can send; else why there is none.
 */
SEPARATE int hop_ask(struct xdp_md *ctx)
{
	struct bpf_fib_lookup question;
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct backend *backend;
	struct cached_hop *hop;

	if (!h)
		return REASON_fib_error;
	d->fib = -1;
	backend = backend_of(d->generation_index, h->backend_id);
	hop = bpf_map_lookup_elem(&next_hops, &d->next_hop_index);
	if (!backend || !hop || !method_question(&question, h, backend))
		return REASON_fib_error;
	d->fib = bpf_fib_lookup(ctx, &question, sizeof(question), 0);
	route_answer(hop, &question);
	hop_narrow(ctx, h, backend, hop, question.mtu_result);
	hop_over_vlan(hop, h);
	hop->backend = h->backend_id;
	hop->in = h->device;
	hop->flow = h->next_hop_group;
	hop->asked = 0;
	if (d->fib != BPF_FIB_LKUP_RET_SUCCESS)
		return route_reason(d->fib);
	/*
	 * Not cached, so that looking for what a device lacks costs other
	 * packets nothing.
	 */
	if (!hop_takes_frames(hop, h))
		return REASON_device_passed;
	hop->asked = d->now;
	return REASON_NONE;
}

/*
 * Copies what hop_ask() reads field by field: copied as a whole, it would be
 * read in other widths than it was just written in, which stalls the CPU.
 */
INLINE struct handed *hand_question(const struct decision *d,
				    const struct lookup *l, __u64 flow)
{
	struct handed *h = handed();
	struct decision *to;
	int i;

	if (!h)
		return NULL;
	to = &h->decision;
	to->hash = hash_packet(&d->packet);
	to->generation_index = d->generation_index;
	h->backend_id = l->backend->id;
	to->next_hop_index = d->next_hop_index;
	to->packet.is_ipv6 = d->packet.is_ipv6;
	to->packet.protocol = d->packet.protocol;
	__builtin_memcpy(h->own, l->in->own, sizeof(h->own));
	h->method = l->service->method;
	to->now = d->now;
	h->next_hop_group = flow;
	h->device = l->in->device;
	h->tos = hop_tos(d);
	h->generic = l->in->generic;
	to->packet.vlan = d->packet.vlan;
	to->packet.source_port = d->packet.source_port;
	to->packet.port = d->packet.port;
	for (i = 0; i < 4; i++)
		to->packet.source.w[i] = d->packet.source.w[i];
	return h;
}

/* A packet that is larger than the path to the backend takes. */
INLINE enum reason too_big(struct xdp_md *ctx, struct decision *d,
			   const struct lookup *l)
{
	/*
	 * What generic mode sees as one may leave as several smaller packets.
	 */
	if (l->in->generic && !packet_is_single(&d->packet))
		return l->hop->out != l->in->device ? REASON_super_packet
						    : REASON_NONE;
	if (packet_may_be_cut(&d->packet) &&
	    method_may_be_cut(&l->service->method))
		return d->packet.length <= l->hop->link_mtu
			       ? REASON_NONE /* by a router further on */
			       : REASON_super_packet;
	return send_icmp_error(ctx, &d->packet, ICMP_ERROR_TOO_BIG,
			       l->hop->mtu);
}

/* Sets l->hop. */
INLINE enum reason find_hop(struct xdp_md *ctx, struct decision *d,
			    struct lookup *l)
{
	enum reason reason = REASON_NONE;
	__u64 flow = next_hop_group(d, l);
	struct handed *h;

	d->next_hop_index = next_hop_index(l, flow);
	l->hop = bpf_map_lookup_elem(&next_hops, &d->next_hop_index);
	if (!l->hop)
		return REASON_fib_error;
	if (!hop_is_known(d, l, flow)) {
		h = hand_question(d, l, flow);
		if (!h)
			return REASON_fib_error;
		reason = hop_ask(ctx);
		d->asked = true;
		d->fib = h->decision.fib;
	}
	return reason;
}

INLINE enum reason route(struct xdp_md *ctx, struct decision *d,
			 struct lookup *l)
{
	enum reason reason = find_hop(ctx, d, l), big;

	if (reason != REASON_NONE && reason != REASON_device_passed)
		return reason;
	if (LIKELY(d->packet.length <= l->hop->mtu))
		return reason;
	big = too_big(ctx, d, l);
	return big == REASON_NONE ? reason : big;
}
