/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * solicit.bpf.h - turn a packet whose next hop has no MAC address into a
 * question for it (see common/core/solicit.h)
 *
 * At most one in a hundredth of a second, for each CPU and next hop. If the
 * kernel can forward the packet itself, or lbr_waiting can have it sent, the
 * kernel resolves by itself: no packet is lost. But after a failed attempt it
 * waits for a second before the next, and the packets with it. So if packets
 * have gone to the kernel without a pause for PATIENCE hundredths of a second,
 * one is given up for an ARP request, too.
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/dry.h"
#include "common/bpf/exit.h"
#include "common/core/solicit.h"
#include "common/core/verifier.h"

#define PATIENCE 5

enum solicit {
	SOLICIT_NONE, /* nothing is written */
	SOLICIT_HOP,  /* it asks the next hop, and leaves by the incoming
			 interface */
	SOLICIT_SELF, /* it asks this host, in the name of the next hop */
	SOLICIT_LOST, /* neither the packet as it was, nor a question */
};

/* What to ask now, if anything. `second`: jiffies. */
INLINE enum solicit solicit_turn(__u32 key, __u64 second, bool kernel_forwards,
				 bool same_way)
{
	__u32 row = key % SOLICITED;
	struct solicited *done = bpf_map_lookup_elem(&solicited, &row);
	__u64 now = bpf_jiffies64(), since;

	if (!done || (kernel_forwards && !same_way))
		return SOLICIT_NONE;
	since = now - done->at;
	if (since < second / 100 || !since)
		return SOLICIT_NONE;
	done->at = now;
	if (since > (kernel_forwards ? second / 4 : second)) {
		done->count = 0;
		return kernel_forwards ? SOLICIT_NONE : SOLICIT_SELF;
	}
	done->count++;
	if (kernel_forwards)
		return done->count < PATIENCE ? SOLICIT_NONE : SOLICIT_HOP;
	return same_way && done->count & 1 ? SOLICIT_HOP : SOLICIT_SELF;
}

/* Cuts the frame `size` bytes behind the link's header. */
INLINE bool solicit_fit(struct xdp_md *ctx, __u32 l3_offset, __u32 size)
{
	__u32 is = (__u32)(ctx->data_end - ctx->data);

	if (constants.has_frags)
		is = (__u32)bpf_xdp_get_buff_len(ctx);
	return !bpf_xdp_adjust_tail(ctx, (int)(l3_offset + size) - (int)is);
}

INLINE __u32 solicit_size(enum solicit what, bool is_ipv6)
{
	if (what == SOLICIT_HOP)
		return is_ipv6 ? SOLICIT_ND : SOLICIT_ARP;
	return is_ipv6 ? SOLICIT_ECHO6 : SOLICIT_ECHO4;
}

/*
 * Writes the link's header. Returns what follows it; NULL: the frame is too
 * short.
 */
INLINE void *solicit_link(struct xdp_md *ctx, __u32 l3_offset,
			  const struct interface *in, const struct addr *hop,
			  enum solicit what)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 tags = l3_offset - sizeof(struct ethhdr);
	struct ethhdr *eth = data;
	__be16 *protocol;

	KEEP_SUM(tags);
	if (tags > L2_MOST - sizeof(*eth))
		return NULL;
	protocol = data + 2 * ETH_ALEN + tags;
	if ((void *)(eth + 1) > end || (void *)(protocol + 1) > end)
		return NULL;
	*protocol = !addr_is_v4(hop)	  ? bpf_htons(ETH_P_IPV6)
		    : what == SOLICIT_HOP ? bpf_htons(ETH_P_ARP)
					  : bpf_htons(ETH_P_IP);
	if (what == SOLICIT_HOP) {
		solicit_group(eth->h_dest, hop);
		mac_copy(eth->h_source, in->own_mac);
	} else {
		mac_copy(eth->h_dest, in->own_mac);
	}
	return protocol + 1;
}

INLINE bool solicit_write(void *l3, void *end, const struct interface *in,
			  const struct addr *hop, enum solicit what)
{
	bool is_ipv6 = !addr_is_v4(hop);
	const struct addr *own = &in->own[is_ipv6 ? 1 : 0];

	if (what == SOLICIT_HOP && is_ipv6) {
		if (l3 + SOLICIT_ND > end)
			return false;
		solicit_nd(l3, in->own_mac, own, hop);
	} else if (what == SOLICIT_HOP) {
		if (l3 + SOLICIT_ARP > end)
			return false;
		solicit_arp(l3, in->own_mac, own, hop);
	} else if (is_ipv6) {
		if (l3 + SOLICIT_ECHO6 > end)
			return false;
		solicit_echo_v6(l3, hop, own);
	} else {
		if (l3 + SOLICIT_ECHO4 > end)
			return false;
		solicit_echo_v4(l3, hop, own);
	}
	return true;
}

/*
 * Turns the packet into a question for the hop of this key in next_hops; enum
 * solicit. `second`: in jiffies.
 */
SEPARATE int solicit(struct xdp_md *ctx, __u32 key, __u32 l3_offset,
		     __u32 second, __u32 kernel_forwards)
{
	struct cached_hop *hop = bpf_map_lookup_elem(&next_hops, &key);
	const struct interface *in = hop ? interface_of(hop->in) : NULL;
	enum solicit what;
	bool is_ipv6;
	void *l3;

	if (!in)
		return SOLICIT_NONE;
	is_ipv6 = !addr_is_v4(&hop->via);
	if (!in->own[is_ipv6 ? 1 : 0].w[3])
		return SOLICIT_NONE;
	what = solicit_turn(key, second, kernel_forwards, hop->out == hop->in);
	if (what == SOLICIT_NONE ||
	    !solicit_fit(ctx, l3_offset, solicit_size(what, is_ipv6)))
		return SOLICIT_NONE;
	l3 = solicit_link(ctx, l3_offset, in, &hop->via, what);
	if (!l3 || !solicit_write(l3, (void *)(long)ctx->data_end, in,
				  &hop->via, what))
		return SOLICIT_LOST;
	return what;
}

/*
 * `reason`: why a packet whose next hop has no MAC address is dropped or passed
 * to the kernel. Returns it, or another: the packet is now a question for that
 * address.
 */
INLINE enum reason solicited_instead(struct xdp_md *ctx,
				     const struct decision *d, struct lookup *l,
				     enum reason reason)
{
	int what = SOLICIT_NONE;

	/* A super-packet would be sent as several questions. */
	if (l->in->generic && !packet_is_small(&d->packet))
		return reason;
	EFFECT(what = solicit(ctx, d->next_hop_index, d->packet.l3_offset,
			      l->generation->insert_window,
			      reason == REASON_neighbour_unresolved));
	if (what == SOLICIT_NONE)
		return reason;
	/* It was not sent to the backend. */
	l->backend = NULL;
	if (what == SOLICIT_LOST)
		return REASON_no_room;
	return what == SOLICIT_HOP ? REASON_neighbour_asked
				   : REASON_neighbour_prompted;
}
