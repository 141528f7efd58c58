/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tunnel.h - an IP packet inside another (RFC 2003, 2473, 4213), of either
 * family
 *
 * The outer header copies what routers look at: type of service with its ECN
 * bits (RFC 6040, normal mode). It may not be fragmented (DF, RFC 2003 3.1),
 * because xdp_bkd does not reassemble. A router that cannot forward it reports
 * so, and is believed because of the mark in it (mark.h). In IPv6 that mark is
 * the flow label, which differs from flow to flow (RFC 6438). When the header
 * is taken off, ECN bits that were set on the way are carried in (RFC 6040,
 * 4.2); the rest is dropped.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/core/checksum.h"
#include "common/core/dscp.h"
#include "common/core/mark.h"
#include "common/core/packet_parse.h"

#define TUNNEL_TTL 64
#define ECN_BITS   3
#define ECN_CE	   3 /* congestion experienced */

/*
 * The least MTU of a path to `backend` that lets each packet for `vip` keep the
 * size that its sender may rely on, in bytes: 1280 for IPv6 (RFC 8200 5), plus
 * the outer header; IPv4_LEAST for IPv4.
 */
INLINE __u32 method_least_mtu(const struct method *method,
			      const struct addr *vip,
			      const struct addr *backend)
{
	if (!addr_is_v4(vip))
		return IPV6_LEAST + method_overhead(method, backend);
	return addr_is_v4(backend) ? IPV4_LEAST : IPV6_LEAST;
}

/*
 * May an IPv4 packet without DF be fragmented on its way to the backend, by a
 * router or by this host's kernel? Not in an outer header. Nor where there is
 * no router: the kernel does not know the destination then.
 */
INLINE int method_may_be_cut(const struct method *method)
{
	return method_is_routed(method) && !method_encapsulates(method);
}

/* The outer header's protocol. */
INLINE __u8 tunnel_protocol(int is_ipv6)
{
	return is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

/*
 * The outer source. For a prefix, the flow chooses the address, so that a
 * backend's network card, which hashes addresses, spreads flows over its
 * queues.
 */
INLINE void tunnel_source(struct addr *source, const struct prefix *prefix,
			  const struct addr *own, __u64 hash)
{
	__u32 i, word, mask, draw = (__u32)(hash >> 32);

	*source = prefix->bits ? prefix->address : *own;
	for (i = 0; prefix->bits && i < 4; i++) {
		__u32 from = 32 * i, kept;

		/* How many bits of this word belong to the prefix. */
		kept = prefix->bits <= from	   ? 0
		       : prefix->bits >= from + 32 ? 32
						   : prefix->bits - from;
		mask = kept == 32 ? 0 : 0xffffffff >> kept;
		word = bpf_ntohl(source->w[i]) | (draw & mask);
		source->w[i] = bpf_htonl(word);
		draw = draw * 0x9e3779b1 + 1;
	}
}

/* What the outer header says, besides its ends. */
struct outer {
	__u32 length; /* of the inner packet, bytes */
	__u32 mark;   /* see mark.h: IPv4's id, or IPv6's flow label */
	__u8 tos;
	__u8 protocol;
};

/* Everything but the mark, which is 0. */
INLINE void tunnel_outer(struct outer *outer, const struct packet *packet)
{
	outer->length = packet->length;
	outer->mark = 0;
	outer->tos = packet_tos(packet);
	outer->protocol = tunnel_protocol(packet->is_ipv6);
}

INLINE void tunnel_put_v4(struct iphdr *ip, const struct outer *outer,
			  const struct addr *source, const struct addr *to)
{
	/* Reading in whole words what was just written in halves stalls. */
	__u32 kind = TUNNEL_TTL << 24 | (__u32)outer->protocol << 16;
	__be32 *words = (__be32 *)ip;
	__be32 first = bpf_htonl(0x45000000 | (__u32)outer->tos << 16 |
				 (outer->length + sizeof(*ip)));
	__be32 second = bpf_htonl(outer->mark << 16 | 0x4000);
	__u32 sum = checksum_word(first) + checksum_word(second) +
		    checksum_word(bpf_htonl(kind)) +
		    checksum_word(source->w[3]) + checksum_word(to->w[3]);

	words[0] = first;
	words[1] = second;
	words[2] = bpf_htonl(
		kind | bpf_ntohs((FORCE __be16)(__u16)~checksum_fold(sum)));
	words[3] = source->w[3];
	words[4] = to->w[3];
}

INLINE void tunnel_put_v6(struct ipv6hdr *ip, const struct outer *outer,
			  const struct addr *source, const struct addr *to)
{
	__be32 *words = (__be32 *)ip;

	words[0] =
		bpf_htonl(0x60000000 | (__u32)outer->tos << 20 | outer->mark);
	ip->payload_len = bpf_htons((__u16)outer->length);
	ip->nexthdr = outer->protocol;
	ip->hop_limit = TUNNEL_TTL;
	__builtin_memcpy(&ip->saddr, source, sizeof(*source));
	__builtin_memcpy(&ip->daddr, to, sizeof(*to));
}

/* May the packet have another one inside? */
INLINE int tunnel_is(const struct packet *packet)
{
	return packet->protocol == IPPROTO_IPIP ||
	       packet->protocol == IPPROTO_IPV6;
}

/*
 * Turns *packet, the outer one, into the inner one, of which only the offset is
 * known. Returns its ethertype for packet_parse_ip(), or -1: it lies too far
 * behind.
 */
INLINE int tunnel_begin(struct packet *packet)
{
	__u32 at = packet->l3_offset + packet->l4_offset;
	__be16 ethertype = packet->protocol == IPPROTO_IPV6
				   ? bpf_htons(ETH_P_IPV6)
				   : bpf_htons(ETH_P_IP);

	__builtin_memset(packet, 0, sizeof(*packet));
	if (at > L3_MOST)
		return -1;
	packet->l3_offset = at;
	return (FORCE __u16)ethertype;
}

/*
 * Fills *inner from the IP header inside the packet in [data, end), which was
 * parsed into *outer; call packet_parse_above() next.
 */
INLINE enum reason tunnel_inner(struct packet *inner,
				const struct packet *outer, void *data,
				void *end)
{
	int ethertype;

	*inner = *outer;
	ethertype = tunnel_begin(inner);
	if (ethertype < 0)
		return REASON_malformed;
	inner->eth = data;
	inner->l3 = data + inner->l3_offset;
	inner->end = end;
	return packet_parse_ip(inner, end, (FORCE __be16)ethertype);
}

/*
 * The ECN bits of the inner packet once the outer header is off (RFC 6040,
 * figure 4), or -1: drop it.
 */
INLINE int tunnel_ecn(__u8 inner, __u8 outer)
{
	inner &= ECN_BITS;
	outer &= ECN_BITS;
	if (outer == ECN_CE)
		return inner ? ECN_CE : -1;
	/* ECT(1) outside, ECT(0) inside. */
	if (outer == 1 && inner == 2)
		return 1;
	return inner;
}
