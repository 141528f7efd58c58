/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.h - replace one destination address by another
 *
 * The load balancer writes the backend's address over the VIP, and the backend
 * writes the VIP back. The law: after both, the packet is the one that the
 * client sent, except for the TTL and the MAC addresses.
 *
 * The TCP or UDP checksum covers the destination through the pseudo header (RFC
 * 9293 3.1, RFC 768). With `checksum: keep` neither side touches it: between
 * the two a capture shows it as wrong, and at the server it is right again.
 * With `update` both change it, and it is always right. That does not work
 * everywhere: on virtual links the field may hold only the sum of the pseudo
 * header, to be completed by a device further on (CHECKSUM_PARTIAL), and XDP
 * cannot tell.
 *
 * The IPv4 header has a checksum of its own, which every hop verifies. It is
 * updated incrementally, not computed anew: a header that came damaged leaves
 * damaged, and the next hop drops it.
 */
#pragma once

#include "common/core/checksum.h"
#include "common/core/packet.h"
#include "common/core/verifier.h"

INLINE void rewrite_destination(struct packet *packet, const struct addr *to)
{
	struct iphdr *ip = packet->ipv4;

	if (packet->is_ipv6) {
		__builtin_memcpy(&packet->ipv6->daddr, to, sizeof(*to));
		return;
	}
	ip->check = checksum_replace32(ip->check, ip->daddr, to->w[3]);
	ip->daddr = to->w[3];
}

/*
 * Offset behind l4 of the checksum that covers the destination (ICMPv6: of an
 * error); 0: there is none. A table, because the verifier takes its value as
 * one unknown number.
 */
static const __u8 rewrite_covering_at[] = {
	[IPPROTO_TCP] = 16,
	[IPPROTO_UDP] = 6,
	[IPPROTO_ICMPV6] = 2,
};

/* The checksum that covers the destination, or NULL if there is none. */
INLINE __sum16 *rewrite_covering(const struct packet *packet)
{
	__u32 protocol = packet->is_error && packet->is_ipv6 ? IPPROTO_ICMPV6
							     : packet->protocol;
	const __u8 *table = rewrite_covering_at;
	__sum16 *field;
	__u32 at = 0;

	/* Of a plain packet, the compiler knows which protocols there are. */
	KEEP_INDEX(table, protocol);
	if (protocol < sizeof(rewrite_covering_at))
		at = table[protocol];
	field = packet->l4 + at;
	if (!at || packet->flags & PACKET_LATER ||
	    (packet->is_error && !packet->is_ipv6) ||
	    (void *)(field + 1) > packet->end)
		return 0;
	return field;
}

/*
 * Updates it for the destination `to` in place of `from`. (Words that two
 * IPv4-mapped addresses have in common cancel out.)
 */
INLINE void rewrite_checksum(struct packet *packet, const struct addr *from,
			     const struct addr *to)
{
	__sum16 *field = rewrite_covering(packet);
	int is_udp = packet->protocol == IPPROTO_UDP && !packet->is_error;
	__u32 sum, i;

	/* 0 in UDP: no checksum. */
	if (!field || (is_udp && !*field))
		return;
	sum = (__u16) ~(FORCE __u16)*field;
	for (i = 0; i < 4; i++) {
		sum += checksum_word((FORCE __be32) ~(FORCE __u32)from->w[i]);
		sum += checksum_word(to->w[i]);
	}
	*field = (FORCE __sum16)(__u16)~checksum_fold(sum);
	if (is_udp && !*field)
		*field = (FORCE __sum16)0xffff;
}

/*
 * Writes another source into an ICMP error. The source is in the ICMPv6
 * checksum, which no device completes on the way, so it is updated here.
 */
INLINE void rewrite_error_source(struct packet *packet, const struct addr *from)
{
	struct iphdr *ip = packet->ipv4;
	struct icmp *icmp = packet_icmp(packet);
	int i;

	if (!packet->is_ipv6) {
		ip->check =
			checksum_replace32(ip->check, ip->saddr, from->w[3]);
		ip->saddr = from->w[3];
		return;
	}
	for (i = 0; icmp && i < 4; i++) {
		__be32 *word = &packet->ipv6->saddr.s6_addr32[i];

		icmp->checksum =
			checksum_replace32(icmp->checksum, *word, from->w[i]);
		*word = from->w[i];
	}
}

/*
 * One hop less. TTL and protocol are one 16-bit word of the header, with the
 * TTL in its high byte on the wire.
 */
INLINE void rewrite_ttl(struct packet *packet, __u8 ttl)
{
	struct iphdr *ip = packet->ipv4;
	__be16 before, after;

	if (packet->is_ipv6) {
		packet->ipv6->hop_limit = ttl;
		return;
	}
	before = bpf_htons((__u16)(ip->ttl << 8 | ip->protocol));
	after = bpf_htons((__u16)(ttl << 8 | ip->protocol));
	ip->check = checksum_replace16(ip->check, before, after);
	ip->ttl = ttl;
}

/* Updates destination and TTL with one sum. The TTL is not 0. */
INLINE void rewrite_hop(struct packet *packet, const struct addr *to)
{
	struct iphdr *ip = packet->ipv4;
	__u32 sum;

	if (packet->is_ipv6) {
		rewrite_destination(packet, to);
		rewrite_ttl(packet, packet->ttl - 1);
		return;
	}
	sum = (__u16) ~(FORCE __u16)ip->check;
	sum += checksum_word((FORCE __be32) ~(FORCE __u32)ip->daddr);
	sum += checksum_word(to->w[3]);
	/*
	 * One hop less subtracts 0x100, which in one's complement is to add all
	 * other bits.
	 */
	sum += (__u16) ~(FORCE __u16)bpf_htons(0x100);
	ip->check = (FORCE __sum16)(__u16)~checksum_fold(sum);
	ip->daddr = to->w[3];
	ip->ttl = packet->ttl - 1;
}

INLINE void rewrite_macs(struct packet *packet, const __u8 *destination,
			 const __u8 *source)
{
	mac_copy(packet->eth->h_dest, destination);
	mac_copy(packet->eth->h_source, source);
}
