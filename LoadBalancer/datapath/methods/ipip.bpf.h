/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipip.bpf.h - the method `ipip`, at the load balancer (common/core/tunnel.h)
 *
 * The kernel cannot forward these packets: the outer source is one of its own
 * addresses. While a next hop has no MAC address, they wait for it
 * (lbr_waiting).
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "LoadBalancer/datapath/icmp_error.bpf.h"
#include "LoadBalancer/datapath/mark.bpf.h"
#include "common/core/packet_parse.h"
#include "common/core/rewrite.h"
#include "common/core/tunnel.h"
#include "common/core/verifier.h"

/* The source of the outer header to a backend; `own` if the file says none. */
INLINE void outer_source(struct addr *source, __u32 index,
			 const struct backend *backend, const struct addr *own,
			 __u64 hash)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	bool is_ipv6 = !addr_is_v4(&backend->address);

	own += is_ipv6;
	*source = *own;
	if (generation)
		tunnel_source(source, &generation->outer_source[is_ipv6], own,
			      hash);
}

INLINE void ipip_question(struct bpf_fib_lookup *question,
			  const struct handed *h, const struct backend *backend)
{
	const struct decision *d = &h->decision;
	struct addr source;

	outer_source(&source, d->generation_index, backend, h->own, d->hash);
	route_question(question, &source, &backend->address, h->device);
	route_outer(
		question, &d->packet, h->tos,
		own_mark_to(&backend->address, d->hash, mark_period(d->now)) &
			MARK_V6);
}

/*
 * Moves the link's header, with its tags, `overhead` bytes to the front, and
 * writes the outer header's protocol into it. The MAC addresses are written
 * later. Returns where the outer header goes, or NULL: there is no room.
 */
INLINE void *ipip_link(struct forwarding *forwarding, const int overhead)
{
	enum { WORDS = L2_MOST / 2 - ETH_ALEN };
	__u32 i, tags = forwarding->packet.l3_offset - sizeof(struct ethhdr);
	__be16 *to, *from;
	void *end;

	if (tags > L2_MOST - sizeof(struct ethhdr) ||
	    bpf_xdp_adjust_head(forwarding->ctx, -overhead))
		return NULL;
	to = (void *)(long)forwarding->ctx->data + 2 * ETH_ALEN;
	end = (void *)(long)forwarding->ctx->data_end;
	from = (void *)to + overhead;
	if ((void *)(from + WORDS) > end)
		return NULL;
	for (i = 0; i < WORDS; i++)
		to[i] = from[i];
	KEEP_SUM(tags);
	if (tags > L2_MOST - sizeof(struct ethhdr))
		return NULL;
	to = (void *)to + tags;
	if ((void *)(to + 1) + overhead > end)
		return NULL;
	*to = overhead == sizeof(struct ipv6hdr) ? bpf_htons(ETH_P_IPV6)
						 : bpf_htons(ETH_P_IP);
	return to + 1;
}

/* The mark for the outer header in front of a packet. */
INLINE __u32 ipip_mark(const struct forwarding *forwarding,
		       const struct packet *packet, bool is_ipv6)
{
	const struct addr *to = &forwarding->backend->address;
	__u32 period = mark_period(bpf_jiffies64());

	if (is_ipv6)
		return own_mark_to(to, forwarding->hash, period) & MARK_V6;
	/* No router reports that a packet of this size is too big. */
	if (packet->length + sizeof(struct iphdr) <= MARK_LENGTH)
		return 0;
	return own_mark_to(to, mark_word(packet->l3, packet->is_ipv6), period) &
	       MARK_V4;
}

/* Puts the outer header of `overhead` bytes in front of the packet. */
INLINE enum reason ipip_put(struct forwarding *forwarding,
			    const struct addr *source, const int overhead)
{
	bool is_ipv6 = overhead == sizeof(struct ipv6hdr);
	struct packet *packet = &forwarding->packet;
	struct outer outer;
	void *put;

	tunnel_outer(&outer, packet);
	put = ipip_link(forwarding, overhead);
	packet->l3_offset += overhead;
	if (!put || packet_locate(packet, (void *)(long)forwarding->ctx->data,
				  (void *)(long)forwarding->ctx->data_end))
		return REASON_no_room;
	rewrite_ttl(packet, packet->ttl - 1);
	outer.mark = ipip_mark(forwarding, packet, is_ipv6);
	if (is_ipv6)
		tunnel_put_v6(put, &outer, source,
			      &forwarding->backend->address);
	else
		tunnel_put_v4(put, &outer, source,
			      &forwarding->backend->address);
	return method_macs(forwarding);
}

/* There may be no room for the outer header. */
INLINE bool ipip_plain(struct decision *d, const struct lookup *l)
{
	(void)d;
	(void)l;
	return false;
}

INLINE enum reason ipip_forward(struct forwarding *forwarding)
{
	const struct addr *own = forwarding_own(forwarding);
	struct addr source;

	if (forwarding->reason != REASON_NONE &&
	    !method_waits(forwarding,
			  !addr_is_v4(&forwarding->backend->address)))
		return method_stays(forwarding->reason);
	if (!own)
		return REASON_no_outer_source;
	outer_source(&source, forwarding->generation_index, forwarding->backend,
		     own, forwarding->hash);
	if (!source.w[3])
		return REASON_no_outer_source;
	if (forwarding->packet.length > 0xffff - sizeof(struct iphdr))
		return REASON_fib_too_big;
	if (!header_is_whole(forwarding->ctx, forwarding->packet.l3_offset,
			     !!forwarding->packet.is_ipv6))
		return REASON_malformed_vip;
	if (addr_is_v4(&forwarding->backend->address))
		return ipip_put(forwarding, &source, sizeof(struct iphdr));
	return ipip_put(forwarding, &source, sizeof(struct ipv6hdr));
}
