// SPDX-License-Identifier: GPL-2.0-only
/*
 * nat.bpf.c - lbr_nat: `forward: nat`, both ways
 *
 *	client's packet:   find or begin its flow  ->  source, backend  ->  send
 *	backend's packet:  find its flow           ->  VIP, client      ->  send
 *
 * Attached where the kernel takes packets from an interface (clsact, ingress),
 * behind xdp_lbr: there the kernel says whether a checksum is still to be
 * filled in, which no XDP program can know. xdp_lbr selects the backend, as for
 * any method, and passes the packet up. A backend's packet is for an address of
 * this host that is no VIP: it is passed up, too.
 *
 * A packet that is taken here was counted by xdp_lbr under the reason for which
 * it was passed up. It is counted anew, and not twice.
 */
#define CONTEXT struct __sk_buff
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "LoadBalancer/datapath/counts.bpf.h"
#include "LoadBalancer/datapath/nat_error.bpf.h"
#include "LoadBalancer/datapath/nat_flows.bpf.h"
#include "LoadBalancer/datapath/nat_maps.bpf.h"
#include "LoadBalancer/datapath/nat_trace.bpf.h"
#include "LoadBalancer/datapath/translate.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/link.h"
#include "common/bpf/parse.h"
#include "common/bpf/vlan.h"
#include "common/core/route.h"
#include "common/core/verifier.h"

char LICENSE[] SEC("license") = "GPL";

/* The way out, for the new ends in `nat_handed`: REASON_NONE, or why not. */
SEPARATE int nat_route(CONTEXT *ctx)
{
	struct packet *packet = handed_packet();
	struct nat_handed *h = nat_handed_over();
	struct bpf_fib_lookup question;
	int found;

	if (!packet || !h)
		return REASON_fib_error;
	route_question(&question, &h->source, &h->destination,
		       link_device(ctx));
	question.l4_protocol = packet->protocol;
	question.sport = h->source_port;
	question.dport = h->port;
	found = bpf_fib_lookup(ctx, &question, sizeof(question), 0);
	h->out = question.ifindex;
	if (question.family == ROUTE_AF_INET)
		addr_set_v4(&h->via, question.ipv4_dst);
	else
		addr_set_v6(&h->via, (const __be32 *)question.ipv6_dst);
	/*
	 * The kernel asks for the MAC address when it sends; nat_is_too_big()
	 * for the size.
	 */
	if (found == BPF_FIB_LKUP_RET_SUCCESS ||
	    found == BPF_FIB_LKUP_RET_NO_NEIGH ||
	    found == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return REASON_NONE;
	return route_reason(found);
}

/* By the kernel's own neighbour, so that it asks for a MAC address. */
INLINE long nat_send(CONTEXT *ctx, const struct nat_handed *h)
{
	struct bpf_redir_neigh next = {};

	if (addr_is_v4(&h->via)) {
		next.nh_family = ROUTE_AF_INET;
		next.ipv4_nh = h->via.w[3];
	} else {
		next.nh_family = ROUTE_AF_INET6;
		__builtin_memcpy(next.ipv6_nh, &h->via, sizeof(h->via));
	}
	if (ctx->vlan_present)
		bpf_skb_vlan_pop(ctx);
	return bpf_redirect_neigh(h->out, &next, sizeof(next), 0);
}

/* What xdp_lbr has counted, under what has become of it. */
SEPARATE int nat_count(CONTEXT *ctx)
{
	struct nat_handed *h = nat_handed_over();
	struct backend_count *counter;
	__u32 key, reason;

	if (!h)
		return 0;
	reason = h->reason;
	count_by(h->is_reply ? REASON_not_vip : REASON_translating, -1);
	count_by(reason, 1);
	if (h->is_reply || !h->service)
		return 0;
	count_service_by(h->service, REASON_translating, -1);
	if (reason != REASON_translated) {
		count_service_by(h->service, reason, 1);
		return 0;
	}
	key = h->backend % BACKEND_INDEXES;
	counter = bpf_map_lookup_elem(&backend_counts, &key);
	if (!counter)
		return 0;
	counter->packets++;
	counter->bytes += ctx->len;
	counter->flows += h->begins;
	return 0;
}

/* Puts one there; its content is the kernel's to fill in. */
INLINE bool link_add(CONTEXT *ctx, struct packet *packet)
{
	if (bpf_skb_change_head(ctx, sizeof(struct ethhdr), 0))
		return false;
	packet->l3_offset += sizeof(struct ethhdr);
	return true;
}

INLINE bool is_translation(enum reason reason)
{
	return reason == REASON_translated || reason == REASON_returned;
}

/* An ICMP error, back to the sender. */
INLINE bool is_answer(enum reason reason)
{
	return reason == REASON_ttl_answered ||
	       reason == REASON_too_big_answered;
}

/* Routes and writes what nat_decide() has said. REASON_NONE: it can be sent. */
INLINE enum reason nat_translate(CONTEXT *ctx, struct nat_handed *h,
				 const struct packet *packet)
{
	enum reason reason = nat_route(ctx);
	bool is_error = packet->is_error;

	if (reason == REASON_NONE && nat_is_too_big(ctx, h, packet))
		return REASON_fib_too_big;
	if (reason != REASON_NONE)
		return reason;
	return (is_error ? translate_error(ctx) : translate(ctx))
		       ? REASON_malformed_vip
		       : REASON_NONE;
}

/* Makes the packet the error about it, and routes that; its reason. */
INLINE enum reason nat_answer(CONTEXT *ctx, enum icmp_error what)
{
	enum reason reason = icmp_error_reason(nat_error(ctx, what), what), way;

	if (!is_answer(reason))
		return reason;
	way = nat_route(ctx);
	return way == REASON_NONE ? reason : way;
}

/* What becomes of the packet in `parsed`: its reason. */
INLINE enum reason nat_handle(CONTEXT *ctx, struct nat_handed *h,
			      struct packet *packet, bool link)
{
	enum reason reason = nat_decide(ctx), way = REASON_NONE;

	if (!is_translation(reason) && reason != REASON_ttl_exceeded)
		return reason;
	if (!link && !link_add(ctx, packet))
		return REASON_no_room;
	if (reason != REASON_ttl_exceeded)
		way = nat_translate(ctx, h, packet);
	if (reason == REASON_ttl_exceeded)
		return nat_answer(ctx, ICMP_ERROR_EXCEEDED);
	if (way == REASON_fib_too_big)
		return nat_answer(ctx, ICMP_ERROR_TOO_BIG);
	return way == REASON_NONE ? reason : way;
}

SEC("tc")
int lbr_nat(struct __sk_buff *ctx)
{
	struct nat_handed *h = nat_handed_over();
	struct packet *packet = handed_packet();
	bool link = !link_is_missing(ctx);
	enum reason reason;

	if (!h || !packet)
		return TC_ACT_UNSPEC;
	h->reason = REASON_NONE; /* also if this is not even parsed */
	if (link_parse(ctx, link) != REASON_NONE)
		return TC_ACT_UNSPEC;
	reason = nat_handle(ctx, h, packet, link);
	if (reason == REASON_NONE)
		return TC_ACT_UNSPEC;
	h->reason = reason;
	EFFECT(nat_count(ctx); nat_tell(ctx));
	return is_translation(reason) || is_answer(reason) ? nat_send(ctx, h)
							   : TC_ACT_SHOT;
}
