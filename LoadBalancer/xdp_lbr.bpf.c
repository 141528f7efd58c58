// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_lbr - the load balancer's data path
 *
 *	parse  ->  find service  ->  select  ->  route  ->  rewrite  ->  send
 *
 * A packet for a service gets the address of one of its backends in place of
 * the VIP and is sent to the next hop that the kernel's FIB names. The backend
 * (xdp_bkd) writes the VIP back, and its reply goes straight to the client.
 *
 * Nothing is written into a packet until nothing can fail any more, so the
 * route comes before the rewrite. The law: what is passed up is bit for bit
 * what came in, with two exceptions, which the kernel is to forward and gets
 * with their new destination (and mark): a packet whose next hop has no MAC
 * address yet, and one that only the kernel can fragment for the next link. And
 * from time to time one packet is given up, so that the next hop gets a MAC
 * address: see solicit.bpf.h.
 */
#include "LoadBalancer/datapath/apart.bpf.h"
#include "LoadBalancer/datapath/check_reply.bpf.h"
#include "LoadBalancer/datapath/forward.bpf.h"
#include "LoadBalancer/datapath/icmp_error.bpf.h"
#include "LoadBalancer/datapath/leave.bpf.h"
#include "LoadBalancer/datapath/maps.bpf.h"
#include "LoadBalancer/datapath/next_hop.bpf.h"
#include "LoadBalancer/datapath/pass.bpf.h"
#include "LoadBalancer/datapath/refuse.bpf.h"
#include "LoadBalancer/datapath/removing.bpf.h"
#include "LoadBalancer/datapath/select.bpf.h"
#include "LoadBalancer/datapath/service.bpf.h"
#include "LoadBalancer/datapath/solicit.bpf.h"
#include "LoadBalancer/datapath/workers.bpf.h"
#include "common/bpf/clock.h"
#include "common/bpf/dry.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"
#include "common/bpf/vlan.h"

#if !DRY_RUN
#include "LoadBalancer/datapath/check.bpf.h"
#include "common/core/verifier.h"
#endif

char LICENSE[] SEC("license") = "GPL";

/*
 * See parse.h. Wanted: a first fragment for this host's MAC address, and for a
 * VIP or in reply to a health check.
 */
SEPARATE int fragment_is_wanted(struct xdp_md *ctx)
{
	__u32 index = generation_index();
	struct packet *packet = handed_packet();
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct ethhdr *eth = (void *)(long)ctx->data;
	struct service_table table;

	if (!packet || !generation ||
	    (void *)(eth + 1) > (void *)(long)ctx->data_end ||
	    !find_interface(device_of(ctx, packet), eth))
		return false;
	table = service_table_of(index, generation, packet);
	return is_vip(&table, packet, index) || check_reply_is();
}

/*
 * What becomes of a packet that is for no service, for one that is served
 * apart, or is not fit to be forwarded. Most are for no VIP; for a VIP, or if
 * there is more to ask, it is refused_rarely().
 */
INLINE enum reason refuse(struct xdp_md *ctx, struct decision *d,
			  struct lookup *l, enum reason reason)
{
	__u32 refused;

	if (LIKELY(reason == REASON_NONE && !d->for_vip &&
		   !(d->packet.flags & PACKET_QUOTES) && !checks_run() &&
		   !l->generation->releases))
		return REASON_not_vip;
	if (l->service)
		return apart(ctx, d, l, false);
	if (!hand_packet(&d->packet))
		return REASON_not_vip;
	if (reason == REASON_NONE && !d->for_vip && is_release(d, l))
		return apart(ctx, d, l, true);
	refused = refused_rarely(ctx, d->generation_index, d->for_vip, reason,
				 l->in->device);
	d->for_vip = refused / REFUSED_VIP;
	if (refused == REASON_NONE)
		return learn_mtu(ctx, report_flow(ctx));
	return refused % REFUSED_VIP;
}

/* To l->backend. */
INLINE enum reason send(struct xdp_md *ctx, struct decision *d,
			struct lookup *l)
{
	enum reason reason = route(ctx, d, l);

	if (UNLIKELY(reason != REASON_NONE)) {
		if (!kernel_forwards(reason))
			return reason;
		reason = forget(reason);
	}
	reason = forward(ctx, d, l, reason);
	if (UNLIKELY(reason == REASON_neighbour_missing ||
		     reason == REASON_neighbour_unresolved))
		reason = solicited_instead(ctx, d, l, reason);
	return reason;
}

INLINE enum reason balance(struct xdp_md *ctx, struct decision *d,
			   struct lookup *l)
{
	enum reason reason = parse(ctx, &d->packet);
	__u32 device;

	if (!d->packet.has_destination)
		return reason;
	device = device_of(ctx, &d->packet);
	if (!device)
		return REASON_vlan_tagged;
	l->in = find_interface(device, d->packet.eth);
	if (!l->in)
		return foreign_mac(ctx, d, device);
	if (!find_generation(d, l))
		return REASON_no_configuration;
	if (reason == REASON_NONE && is_cut_short(ctx, &d->packet))
		reason = REASON_malformed;
	if (reason != REASON_NONE || !find_service(d, l))
		return refuse(ctx, d, l, reason);
	if (UNLIKELY(d->packet.is_martian))
		return REASON_martian;
	d->now = bpf_jiffies64();
	if (d->packet.ttl <= 1)
		return send_icmp_error(ctx, &d->packet, ICMP_ERROR_EXCEEDED, 0);
	if (!select_backend(d, l))
		return no_backend(ctx, d, l);
	return send(ctx, d, l);
}

SEC("xdp")
int xdp_lbr(struct xdp_md *ctx)
{
	struct decision d;
	struct lookup l = {};
	enum reason reason;

	decision_begin(&d);
	reason = forget(balance(ctx, &d, &l));
	return leave(&d, &l, reason);
}

/* Where a packet for workers goes: apart() calls it. */
SEC("xdp")
int xdp_lbr_workers(struct xdp_md *ctx)
{
	workers_decide(ctx);
	bpf_tail_call(ctx, &programs, APART_send);
	return XDP_DROP;
}

/* What is sent apart, or why not. */
INLINE enum reason send_apart(struct xdp_md *ctx, struct decision *d,
			      struct lookup *l)
{
	struct handed *h = handed();
	enum reason reason;

	if (!h || !take_up(ctx, d, l))
		return REASON_no_backend;
	if (h->outcome == REASON_ttl_exceeded)
		return send_icmp_error(ctx, &d->packet, ICMP_ERROR_EXCEEDED, 0);
	if (h->outcome != REASON_NONE)
		return h->outcome;
	d->hash = hash_packet(&d->packet);
	l->backend = backend_of(d->generation_index, h->backend_id);
	reason = l->backend ? send(ctx, d, l) : REASON_no_backend;
	if (!l->backend || !goes_to_backend(reason))
		workers_give_back();
	return reason;
}

SEC("xdp")
int xdp_lbr_send(struct xdp_md *ctx)
{
	struct decision d = {};
	struct lookup l = {};
	enum reason reason = forget(send_apart(ctx, &d, &l));

	return leave(&d, &l, reason);
}
