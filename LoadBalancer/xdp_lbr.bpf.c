// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_lbr - the load balancer's data path
 *
 *	parse  ->  find service  ->  select  ->  route  ->  rewrite  ->  send
 *
 * A packet for a service is given the address of one of its backends in place
 * of the VIP and sent on to the next hop that the kernel's FIB names. The
 * backend (xdp_bkd) puts the VIP back and its reply goes straight to the
 * client.
 *
 * Nothing is written into a packet until nothing can fail any more, so the
 * route comes before the rewrite. The law: what is passed up is bit for bit
 * what came in, but for two cases that are handed to the kernel with their new
 * destination, to be forwarded by it: a packet whose next hop has no MAC
 * address yet, and one that only the kernel can cut to the next link's size.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/clock.h"
#include "common/bpf/map.h"
#include "common/core/abi.h"
#include "common/core/echo.h"
#include "common/core/hash.h"
#include "common/core/packet.h"
#include "common/core/reason.h"
#include "common/core/rewrite.h"
#include "common/core/route.h"
#include "common/core/select.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct constants constants = {};

/* What the file says, complete, once for each generation. */
MAP(generations, ARRAY, __u32, struct generation, GENERATIONS);
MAP_OF_GENERATIONS(services, HASH, BPF_F_NO_PREALLOC, struct service_key,
		   struct service, MAX_SERVICES * 2);
MAP_OF_GENERATIONS(backends, ARRAY, 0, __u32, struct backend, BACKEND_SLOTS);
MAP_OF_GENERATIONS(tables, ARRAY, BPF_F_INNER_MAP | BPF_F_MMAPABLE, __u32,
		   struct slots, 1);

/* What lives across generations. */
MAP(control, ARRAY, __u32, __u32, CONTROLS);
MAP(interfaces, ARRAY, __u32, struct interface, MAX_INTERFACES);
MAP(flows, LRU_HASH, struct flow_key, struct flow, 1000000);
MAP(inserted, PERCPU_ARRAY, __u32, struct insertions, 1);
MAP(reasons, PERCPU_ARRAY, __u32, __u64, REASON_MAX);
MAP(backend_counts, PERCPU_ARRAY, __u32, struct backend_count, BACKEND_SLOTS);

/* The tool's alone: what it changed on this host, to be put back. */
MAP(changes, ARRAY, __u32, struct change, MAX_CHANGES);

/* One packet's way through the program; what a trace line tells. */
struct decision {
	struct packet packet;
	struct interface *in;
	__u32 slot; /* of the generation it goes by */
	struct generation *generation;
	struct service *service;
	struct backend *backend;
	enum origin origin;
	bool for_vip;
	bool begins; /* the first packet of a flow */
	long fib;    /* the FIB's answer */
	struct bpf_fib_lookup hop;
};

#include "common/bpf/exit.h"
#include "LoadBalancer/select.bpf.h"
#include "LoadBalancer/trace.bpf.h"

INLINE void *find(struct decision *d, __be16 port, __u8 protocol)
{
	struct service_key key = {d->packet.destination, port, protocol, 0};
	void *map = bpf_map_lookup_elem(&services, &d->slot);

	return map ? bpf_map_lookup_elem(map, &key) : NULL;
}

INLINE bool find_service(struct decision *d)
{
	if (!d->packet.protocol) /* would find the mark of a VIP */
		return false;
	d->service = find(d, d->packet.port, d->packet.protocol);
	if (!d->service && d->packet.port)
		d->service = find(d, 0, d->packet.protocol);
	return d->service;
}

/* Not for a service, or not fit to be forwarded: for a VIP at all? */
INLINE enum reason refuse(struct decision *d, enum reason reason)
{
	d->for_vip = find(d, 0, 0);
	if (!d->for_vip)
		return reason == REASON_malformed ? reason : REASON_not_vip;
	if (reason == REASON_malformed)
		return REASON_malformed_vip;
	if (reason != REASON_NONE)
		return reason;
	if (d->packet.is_echo) {
		echo_reply(&d->packet);
		return REASON_echo_answered;
	}
	return d->generation->unmatched_pass ? REASON_unmatched_passed
					     : REASON_unmatched;
}

INLINE enum reason route(struct xdp_md *ctx, struct decision *d)
{
	/* What generic mode sees may leave in several packets, smaller. */
	__u32 length = d->in->generic ? 0 : d->packet.length;

	route_question(&d->hop, &d->packet, &d->backend->address, d->in->device,
		       length);
	d->fib = bpf_fib_lookup(ctx, &d->hop, sizeof(d->hop), 0);
	if (d->fib == BPF_FIB_LKUP_RET_SUCCESS &&
	    d->hop.ifindex != d->in->device && d->in->generic &&
	    d->packet.length > route_mtu(&d->hop))
		return REASON_super_packet;
	return route_reason(d->fib);
}

/* From here on nothing can fail. */
INLINE enum reason forward(struct decision *d)
{
	rewrite_destination(&d->packet, &d->backend->address);
	rewrite_ttl(&d->packet, d->packet.ttl - 1);
	rewrite_macs(&d->packet, d->hop.dmac, d->hop.smac);
	return d->hop.ifindex == d->in->device ? REASON_forwarded
					       : REASON_redirected;
}

INLINE enum reason balance(struct xdp_md *ctx, struct decision *d)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	enum reason reason = packet_parse(&d->packet, data, end);

	if (!d->packet.has_destination)
		return reason;
	d->in = find_interface(ctx->ingress_ifindex, d->packet.eth);
	if (!d->in)
		return REASON_foreign_mac;
	if (!find_generation(d))
		return REASON_no_configuration;
	if (reason == REASON_NONE && is_cut_short(ctx, &d->packet))
		reason = REASON_malformed;
	if (reason != REASON_NONE || !find_service(d))
		return refuse(d, reason);
	d->for_vip = true;
	if (d->packet.ttl <= 1)
		return REASON_ttl_exceeded;
	if (!select_backend(d))
		return REASON_no_backend;
	reason = route(ctx, d);
	if (reason == REASON_neighbour_unresolved ||
	    reason == REASON_super_packet)
		rewrite_destination(&d->packet, &d->backend->address);
	if (reason != REASON_NONE)
		return reason;
	return forward(d);
}

/* With fragments, where the kernel has them: see load.c. */
SEC("xdp")
int xdp_lbr(struct xdp_md *ctx)
{
	struct decision d = {};
	enum reason reason = balance(ctx, &d);

	count(reason);
	if (d.backend && reason_action(reason) != XDP_DROP)
		count_backend(&d);
	if (d.for_vip && is_traced(d.begins))
		trace(&d, reason);
	if (reason == REASON_redirected)
		return bpf_redirect(d.hop.ifindex, 0);
	return reason_action(reason);
}
