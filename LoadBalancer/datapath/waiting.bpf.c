// SPDX-License-Identifier: GPL-2.0-only
/*
 * waiting.bpf.c - lbr_waiting: packets whose next hop has no MAC address
 *
 * Attached where the kernel takes packets from an interface (clsact, ingress),
 * behind xdp_lbr, if the file has services by a method whose packets the kernel
 * cannot forward: it would look for a route to the VIP (l2), or takes the outer
 * source for its own address (ipip). xdp_lbr makes such a packet ready to be
 * sent, and leaves it here. bpf_redirect_neigh() puts it into the queue of the
 * kernel's own neighbour, which asks for the MAC address and then sends it.
 *
 * xdp_lbr has counted it (neighbour_unresolved). If there is no way to the
 * backend, it is counted anew, and dropped.
 */
#define CONTEXT struct __sk_buff
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "LoadBalancer/datapath/backends.bpf.h"
#include "LoadBalancer/datapath/counts.bpf.h"
#include "LoadBalancer/datapath/waiting.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/device.h"
#include "common/bpf/exit.h"
#include "common/core/route.h"
#include "common/core/verifier.h"

char LICENSE[] SEC("license") = "GPL";

/* No packet here depends on the time of removed services. */
SEPARATE int service_removing(void)
{
	return 0;
}

/* The id of the backend that it waits for; -1: it is no such packet. */
INLINE __s64 waiting_backend(CONTEXT *ctx)
{
	struct waiting is = {}, ours;

	if (bpf_skb_load_bytes_relative(ctx, 0, &is, sizeof(is),
					BPF_HDR_START_MAC) ||
	    is.source != WAITING_SOURCE)
		return -1;
	waiting_write(&ours, waiting_secret(), is.backend);
	return mac_number(ours.destination) == mac_number(is.destination)
		       ? (__s64)is.backend
		       : -1;
}

/*
 * Where it comes from, for the FIB. To a backend of the other family: from this
 * host's address.
 */
INLINE void waiting_source(CONTEXT *ctx, const struct addr *backend,
			   __u32 device, struct addr *source)
{
	bool is_ipv6 = ctx->protocol == bpf_htons(ETH_P_IPV6);
	const struct interface *in;
	__be32 ipv4 = 0;

	addr_set_v4(source, 0);
	if (is_ipv6 == addr_is_v4(backend)) {
		in = interface_of(device);
		if (in)
			*source = in->own[!is_ipv6];
	} else if (is_ipv6) {
		bpf_skb_load_bytes_relative(
			ctx, __builtin_offsetof(struct ipv6hdr, saddr), source,
			sizeof(*source), BPF_HDR_START_NET);
	} else {
		bpf_skb_load_bytes_relative(
			ctx, __builtin_offsetof(struct iphdr, saddr), &ipv4,
			sizeof(ipv4), BPF_HDR_START_NET);
		addr_set_v4(source, ipv4);
	}
}

/* Sets the next hop: REASON_NONE, or why there is none. */
INLINE enum reason waiting_route(CONTEXT *ctx, const struct addr *backend,
				 struct bpf_redir_neigh *next, __u32 *out)
{
	struct bpf_fib_lookup question;
	__u32 device = link_device(ctx);
	struct addr source;
	int found;

	waiting_source(ctx, backend, device, &source);
	route_question(&question, &source, backend, device);
	found = bpf_fib_lookup(ctx, &question, sizeof(question), 0);
	*out = question.ifindex;
	next->nh_family = question.family;
	__builtin_memcpy(next->ipv6_nh, question.ipv6_dst,
			 sizeof(next->ipv6_nh));
	if (found == BPF_FIB_LKUP_RET_SUCCESS ||
	    found == BPF_FIB_LKUP_RET_NO_NEIGH)
		return REASON_NONE;
	return route_reason(found);
}

/* What xdp_lbr has counted, under what has become of it. */
INLINE int waiting_lost(CONTEXT *ctx, const struct backend *backend,
			enum reason reason)
{
	__u32 key = backend ? backend->id % BACKEND_INDEXES : 0;
	struct backend_count *counter;

	count_by(REASON_neighbour_unresolved, -1);
	count(reason);
	if (!backend)
		return TC_ACT_SHOT;
	count_service_by(backend->service, REASON_neighbour_unresolved, -1);
	count_service_by(backend->service, reason, 1);
	counter = bpf_map_lookup_elem(&backend_counts, &key);
	if (counter) {
		counter->packets--;
		counter->bytes -= ctx->len;
	}
	return TC_ACT_SHOT;
}

SEC("tc")
int lbr_waiting(struct __sk_buff *ctx)
{
	__s64 id = waiting_backend(ctx);
	struct bpf_redir_neigh next = {};
	const struct backend *backend;
	enum reason reason;
	__u32 out;

	if (id < 0)
		return TC_ACT_UNSPEC;
	backend = backend_of(generation_index(), (__u32)id);
	if (!backend)
		return waiting_lost(ctx, NULL, REASON_no_backend);
	reason = waiting_route(ctx, &backend->address, &next, &out);
	if (reason != REASON_NONE)
		return waiting_lost(ctx, backend, reason);
	if (link_is_missing(ctx) &&
	    bpf_skb_change_head(ctx, sizeof(struct ethhdr), 0))
		return waiting_lost(ctx, backend, REASON_no_room);
	if (ctx->vlan_present)
		bpf_skb_vlan_pop(ctx);
	return bpf_redirect_neigh(out, &next, sizeof(next), 0);
}
