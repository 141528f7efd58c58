/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ends.h - write a packet's new ends, with all sums true
 *
 * By the helpers for a socket buffer: they know whether a checksum is complete,
 * still to be filled in, or was verified by the card, and keep it so.
 */
#pragma once

#include <stdbool.h>

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "common/bpf/context.h"
#include "common/core/address.h"
#include "common/core/checksum.h"
#include "common/core/packet.h"

/* Offsets in the headers. */
enum {
	IPV4_TTL = 8,
	IPV4_CHECK = 10,
	IPV4_ENDS = 12,
	IPV6_TTL = 7,
	IPV6_ENDS = 8,
	ICMP_CHECK = 2,
	ICMP_INNER = 8,
};

/*
 * The ends of a packet, source first. IPv4 addresses are mapped ones: the words
 * that they have in common cancel out in a difference of sums.
 */
struct ends {
	struct addr address[2];
	__be16 port[2];
};

INLINE __s64 ends_difference(const struct ends *from, const struct ends *to)
{
	return bpf_csum_diff((__be32 *)from->address, sizeof(from->address),
			     (__be32 *)to->address, sizeof(to->address), 0);
}

INLINE __u32 ports_word(const struct ends *ends)
{
	__u32 word;

	__builtin_memcpy(&word, ends->port, sizeof(word));
	return word;
}

/*
 * Writes both addresses into the IP header at `l3`, and corrects its sum.
 * `flags`: of bpf_skb_store_bytes(), for IPv6; IPv4's sums cancel out.
 */
INLINE long ends_write_ip(CONTEXT *ctx, __u32 l3, bool is_ipv6,
			  const struct ends *to, __s64 difference, __u64 flags)
{
	__be32 ipv4[2] = {to->address[0].w[3], to->address[1].w[3]};

	if (is_ipv6)
		return bpf_skb_store_bytes(ctx, l3 + IPV6_ENDS, to->address,
					   sizeof(to->address), flags);
	return bpf_l3_csum_replace(ctx, l3 + IPV4_CHECK, 0, difference, 0) |
	       bpf_skb_store_bytes(ctx, l3 + IPV4_ENDS, ipv4, sizeof(ipv4), 0);
}

/*
 * The same for the packet's own header. A card may have summed the packet up
 * (CHECKSUM_COMPLETE). What bpf_l4_csum_replace() takes off that sum, with
 * BPF_F_PSEUDO_HDR, is right for IPv4, whose header sum changes, too; with IPv6
 * the addresses have to be added, or the kernel finds the card wrong.
 */
INLINE long ends_write_own(CONTEXT *ctx, __u32 l3, bool is_ipv6,
			   const struct ends *to, __s64 difference)
{
	return ends_write_ip(ctx, l3, is_ipv6, to, difference,
			     BPF_F_RECOMPUTE_CSUM);
}

/* One hop less, in the IP header at `l3`. `ttl`: before. */
INLINE long hop_write(CONTEXT *ctx, __u32 l3, bool is_ipv6, __u8 ttl)
{
	__u8 less = ttl - 1;

	if (is_ipv6)
		return bpf_skb_store_bytes(ctx, l3 + IPV6_TTL, &less, 1,
					   BPF_F_RECOMPUTE_CSUM);
	return bpf_l3_csum_replace(ctx, l3 + IPV4_CHECK, bpf_htons(ttl << 8),
				   bpf_htons(less << 8), 2) |
	       bpf_skb_store_bytes(ctx, l3 + IPV4_TTL, &less, 1, 0);
}

/*
 * Writes the ports at `l4`, and corrects TCP's or UDP's sum there for them and
 * for the addresses, which differ by `difference`.
 */
INLINE long ends_write_l4(CONTEXT *ctx, __u32 l4, __u8 protocol,
			  const struct ends *from, const struct ends *to,
			  __s64 difference)
{
	__u32 at = l4 + (protocol == IPPROTO_UDP ? 6 : 16);
	__u64 flags = protocol == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;

	return bpf_l4_csum_replace(ctx, at, 0, difference,
				   flags | BPF_F_PSEUDO_HDR) |
	       bpf_l4_csum_replace(ctx, at, ports_word(from), ports_word(to),
				   flags | 4) |
	       bpf_skb_store_bytes(ctx, l4, to->port, sizeof(to->port), 0);
}

/* The IP header inside an ICMP error, or what matters of it. */
struct inside {
	__u32 l3;
	__u32 l4;
	__u8 protocol;
};

/* False: it is not understood: IPv6 with extension headers. */
INLINE bool inside_find(CONTEXT *ctx, __u32 icmp, bool is_ipv6,
			struct inside *inside)
{
	__u8 first = 0;

	inside->l3 = icmp + ICMP_INNER;
	inside->l4 = inside->l3 + sizeof(struct ipv6hdr);
	if (bpf_skb_load_bytes(ctx, inside->l3, &first, 1) ||
	    bpf_skb_load_bytes(ctx, inside->l3 + (is_ipv6 ? 6 : 9),
			       &inside->protocol, 1))
		return false;
	if (!is_ipv6)
		inside->l4 = inside->l3 + (first & 15) * 4;
	return inside->protocol == IPPROTO_TCP ||
	       inside->protocol == IPPROTO_UDP;
}

/*
 * The sum of the packet inside, if the error quotes it: it becomes that of its
 * new ends. It is corrected as what it is, 16 bits of the error's payload.
 */
INLINE long inside_sum(CONTEXT *ctx, __u32 icmp, const struct inside *inside,
		       const struct ends *from, const struct ends *to,
		       __s64 difference)
{
	__u32 at = inside->l4 + (inside->protocol == IPPROTO_UDP ? 6 : 16);
	__u64 sum;
	__u16 old = 0, new;

	if (bpf_skb_load_bytes(ctx, at, &old, sizeof(old)) ||
	    (inside->protocol == IPPROTO_UDP && !old))
		return 0;
	sum = (__u16)~old + (__u32)difference;
	sum += checksum_word((FORCE __be32)~ports_word(from));
	sum += checksum_word((FORCE __be32)ports_word(to));
	new = ~checksum_fold(sum);
	if (inside->protocol == IPPROTO_UDP && !new)
		new = 0xffff;
	return bpf_l4_csum_replace(ctx, icmp + ICMP_CHECK, old, new, 2) |
	       bpf_skb_store_bytes(ctx, at, &new, sizeof(new), 0);
}

/*
 * The packet inside an ICMP error: it went the other way, so its ends are the
 * error's flow's, exchanged. IPv4's header sum and addresses change the ICMP
 * sum by nothing, together.
 */
INLINE long inside_write(CONTEXT *ctx, __u32 icmp, bool is_ipv6,
			 const struct inside *inside, const struct ends *from,
			 const struct ends *to)
{
	__s64 difference = ends_difference(from, to);
	__u32 at = icmp + ICMP_CHECK;
	long wrong = 0;

	wrong |= ends_write_ip(ctx, inside->l3, is_ipv6, to, difference, 0);
	if (is_ipv6)
		wrong |= bpf_l4_csum_replace(ctx, at, 0, difference, 0);
	wrong |= inside_sum(ctx, icmp, inside, from, to, difference);
	wrong |= bpf_l4_csum_replace(ctx, at, ports_word(from), ports_word(to),
				     4);
	wrong |= bpf_skb_store_bytes(ctx, inside->l4, to->port,
				     sizeof(to->port), 0);
	return wrong;
}

/*
 * Who sent the ICMP error, which is not its flow's end: of its own IP header.
 * 0, or not.
 */
INLINE long outside_source(CONTEXT *ctx, __u32 l3, bool is_ipv6,
			   struct addr *source)
{
	if (bpf_skb_load_bytes(ctx, l3 + (is_ipv6 ? IPV6_ENDS : IPV4_ENDS),
			       source, is_ipv6 ? 16 : 4))
		return -1;
	if (!is_ipv6)
		addr_set_v4(source, source->w[0]);
	return 0;
}

/* Writes the addresses of the ICMP error itself, whose sum is at `icmp`. */
INLINE long outside_write(CONTEXT *ctx, __u32 l3, __u32 icmp, bool is_ipv6,
			  const struct ends *from, const struct ends *to)
{
	__s64 difference = ends_difference(from, to);
	long wrong = ends_write_own(ctx, l3, is_ipv6, to, difference);

	/* ICMPv6's covers them (RFC 4443 2.3). */
	if (is_ipv6)
		wrong |= bpf_l4_csum_replace(ctx, icmp + ICMP_CHECK, 0,
					     difference, BPF_F_PSEUDO_HDR);
	return wrong;
}

/* Writes the ends of a packet of TCP or UDP; a later fragment has no ports. */
INLINE long packet_write(CONTEXT *ctx, const struct packet *packet,
			 const struct ends *from, const struct ends *to)
{
	__u32 l3 = packet->l3_offset & 127;
	__u32 l4 = l3 + (packet->l4_offset & 0x7fff);
	__s64 difference = ends_difference(from, to);
	long wrong = ends_write_own(ctx, l3, packet->is_ipv6, to, difference);

	if (!(packet->flags & PACKET_LATER))
		wrong |= ends_write_l4(ctx, l4, packet->protocol, from, to,
				       difference);
	return wrong;
}

/* The ends of a packet that goes the other way. */
INLINE void ends_turn(struct ends *turned, const struct ends *ends)
{
	turned->address[0] = ends->address[1];
	turned->address[1] = ends->address[0];
	turned->port[0] = ends->port[1];
	turned->port[1] = ends->port[0];
}

/*
 * The ends of what is being translated. `destination`: of an ICMP error what it
 * quotes, for as it was parsed its ends are the flow's.
 */
INLINE void ends_before(struct ends *from, const struct packet *packet,
			const struct addr *destination)
{
	from->address[0] = packet->source;
	from->address[1] = *destination;
	from->port[0] = packet->source_port;
	from->port[1] = packet->port;
}
