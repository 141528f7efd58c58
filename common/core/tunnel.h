/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tunnel.h - an IP packet in another (RFC 2003, 2473, 4213), of either family
 *
 * The outer header takes over what routers go by: type of service with its ECN
 * bits (RFC 6040, normal mode), "don't fragment", and, in IPv6, a flow label
 * that differs from flow to flow (RFC 6438). Off again, the ECN bits that were
 * set on the way are carried in (RFC 6040, 4.2); the rest of it is dropped.
 */
#pragma once

#include "common/core/checksum.h"
#include "common/core/dscp.h"
#include "common/core/quote.h"

#define TUNNEL_TTL 64
#define ECN_BITS   3
#define ECN_CE	   3 /* congestion experienced */

/*
 * Bytes by which the method makes a packet longer on its way to `backend`: what
 * the MTU of that way has to take besides the packet.
 */
INLINE __u32 method_overhead(const struct method *method,
			     const struct addr *backend)
{
	if (method->forward != FORWARD_IPIP)
		return 0;
	return addr_is_v4(backend) ? sizeof(struct iphdr)
				   : sizeof(struct ipv6hdr);
}

/* The outer header's protocol. */
INLINE __u8 tunnel_protocol(int is_ipv6)
{
	return is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IPIP;
}

/*
 * From where it is sent. Of a prefix, the flow chooses the address: so a
 * backend's network card, which looks at addresses, spreads flows over its
 * queues.
 */
INLINE void tunnel_source(struct addr *source, const struct prefix *prefix,
			  const struct addr *own, __u64 hash)
{
	__u32 i, word, mask, draw = (__u32)(hash >> 32);

	*source = prefix->bits ? prefix->address : *own;
	for (i = 0; prefix->bits && i < 4; i++) {
		__u32 from = 32 * i, kept;

		/* How many bits of this word are the prefix's. */
		kept = prefix->bits <= from	   ? 0
		       : prefix->bits >= from + 32 ? 32
						   : prefix->bits - from;
		mask = kept == 32 ? 0 : 0xffffffff >> kept;
		word = bpf_ntohl(source->w[i]) | (draw & mask);
		source->w[i] = bpf_htonl(word);
		draw = draw * 0x9e3779b1 + 1;
	}
}

INLINE __u32 tunnel_label(__u64 hash)
{
	return hash >> 32 & 0xfffff;
}

/* What the outer header says, beside its ends. */
struct outer {
	__u32 length; /* of the packet inside */
	__u32 label;  /* of the flow, 20 bits */
	__be16 id;
	__be16 fragment; /* IPv4: the field with DF */
	__u8 tos;
	__u8 protocol;
};

INLINE void tunnel_outer(struct outer *outer, const struct packet *packet,
			 __u64 hash)
{
	outer->length = packet->length;
	outer->label = tunnel_label(hash);
	outer->tos = packet_tos(packet);
	outer->protocol = tunnel_protocol(packet->is_ipv6);
	outer->id = packet->is_ipv6 ? 0 : packet->ipv4->id;
	/* An IPv6 packet is never cut on its way. */
	outer->fragment = packet->is_ipv6
				  ? bpf_htons(0x4000)
				  : packet->ipv4->frag_off & bpf_htons(0x4000);
}

INLINE void tunnel_put_v4(struct iphdr *ip, const struct outer *outer,
			  const struct addr *source, const struct addr *to)
{
	/* What was just written in halves is read in whole words with a wait.
	 */
	__u32 kind = TUNNEL_TTL << 24 | (__u32)outer->protocol << 16;
	__be32 *words = (__be32 *)ip;
	__be32 first = bpf_htonl(0x45000000 | (__u32)outer->tos << 16 |
				 (outer->length + sizeof(*ip)));
	__be32 second = bpf_htonl((__u32)bpf_ntohs(outer->id) << 16 |
				  bpf_ntohs(outer->fragment));
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
		bpf_htonl(0x60000000 | (__u32)outer->tos << 20 | outer->label);
	ip->payload_len = bpf_htons((__u16)outer->length);
	ip->nexthdr = outer->protocol;
	ip->hop_limit = TUNNEL_TTL;
	__builtin_memcpy(&ip->saddr, source, sizeof(*source));
	__builtin_memcpy(&ip->daddr, to, sizeof(*to));
}

/* Is the packet one in which another may be? */
INLINE int tunnel_is(const struct packet *packet)
{
	return packet->protocol == IPPROTO_IPIP ||
	       packet->protocol == IPPROTO_IPV6;
}

/*
 * Fills *inner from the IP header inside the packet in [data, end) that was
 * read into *outer; packet_parse_above() is next.
 */
INLINE enum reason tunnel_inner(struct packet *inner,
				const struct packet *outer, void *data,
				void *end)
{
	__u32 at = outer->l3_offset + outer->l4_offset;

	__builtin_memset(inner, 0, sizeof(*inner));
	if (at > L3_MOST)
		return REASON_malformed;
	inner->eth = data;
	inner->l3 = data + at;
	inner->l3_offset = at;
	inner->end = end;
	return quote_ip(inner, outer->protocol == IPPROTO_IPV6, end);
}

/*
 * The ECN bits of the packet inside once the outer header is off (RFC 6040,
 * figure 4), or -1: it has to be dropped.
 */
INLINE int tunnel_ecn(__u8 inner, __u8 outer)
{
	inner &= ECN_BITS;
	outer &= ECN_BITS;
	if (outer == ECN_CE)
		return inner ? ECN_CE : -1;
	/* ECT(1) outside an ECT(0) packet. */
	if (outer == 1 && inner == 2)
		return 1;
	return inner;
}
