/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * solicit.h - ask a next hop for its MAC address
 *
 * The kernel resolves a neighbour's MAC address when it has a packet for it. A
 * packet that only xdp_lbr can forward is no such packet. So from time to time
 * one of these, which would be dropped anyway, is turned into a question:
 *
 *  - An echo request from the next hop to the load balancer's own address, that
 *    the kernel answers; so it looks for the next hop. It makes an entry where
 *    there is none, but where one has just failed, it waits for up to a second.
 *  - An ARP request (RFC 826) or a neighbour solicitation (RFC 4861 4.3), as
 *    the kernel would send it. The answer is taken where there is an entry,
 *    whatever its state, and ignored where there is none.
 *
 * Each of these functions writes what follows the link's header, and needs room
 * for it: SOLICIT_* bytes, at an even address.
 */
#pragma once

#include "common/core/icmp_error.h"

struct arp_request {
	__be16 hardware;
	__be16 protocol;
	__be16 sizes; /* of either kind of address */
	__be16 operation;
	__u8 sender_mac[ETH_ALEN];
	__be16 sender[2];
	__u8 target_mac[ETH_ALEN];
	__be16 target[2];
};
_Static_assert(sizeof(struct arp_request) == 28, "arp_request");

struct solicitation {
	struct ipv6hdr ip;
	__be32 type; /* with code and checksum */
	__be32 reserved;
	struct addr target;
	__be16 option; /* the source's MAC address, 8 bytes */
	__u8 mac[ETH_ALEN];
};
_Static_assert(sizeof(struct solicitation) == 72, "solicitation");

struct echo_v4 {
	struct iphdr ip;
	__be32 type;
	__be32 id;
};
_Static_assert(sizeof(struct echo_v4) == 28, "echo_v4");

struct echo_v6 {
	struct ipv6hdr ip;
	__be32 type;
	__be32 id;
};
_Static_assert(sizeof(struct echo_v6) == 48, "echo_v6");

#define SOLICIT_ARP   sizeof(struct arp_request)
#define SOLICIT_ND    sizeof(struct solicitation)
#define SOLICIT_ECHO4 sizeof(struct echo_v4)
#define SOLICIT_ECHO6 sizeof(struct echo_v6)

#define ICMPV6_SOLICITATION 135
#define ND_HOP_LIMIT	    255 /* others are ignored (RFC 4861 7.1.1) */

INLINE void solicit_arp(struct arp_request *arp, const __u8 *mac,
			const struct addr *own, const struct addr *hop)
{
	static const __u8 none[ETH_ALEN] __attribute__((aligned(2)));

	arp->hardware = bpf_htons(1);
	arp->protocol = bpf_htons(ETH_P_IP);
	arp->sizes = bpf_htons(ETH_ALEN << 8 | 4);
	arp->operation = bpf_htons(1);
	mac_copy(arp->sender_mac, mac);
	__builtin_memcpy(arp->sender, &own->w[3], 4);
	mac_copy(arp->target_mac, none);
	__builtin_memcpy(arp->target, &hop->w[3], 4);
}

/* One's complement sum of an IPv6 packet with `words` words of payload. */
INLINE __sum16 solicit_sum(const void *ip, int words, __u32 length)
{
	const __be32 *word = ip + 8;
	__u32 sum = bpf_htons((__u16)length) + bpf_htons(IPPROTO_ICMPV6);
	int i;

	for (i = 0; i < 8 + words; i++)
		sum += checksum_word(word[i]);
	return (FORCE __sum16)(__u16)~checksum_fold(sum);
}

INLINE void solicit_ipv6(struct ipv6hdr *ip, __u32 length, __u8 hop_limit)
{
	__be32 *words = (__be32 *)ip;

	words[0] = bpf_htonl(0x60000000);
	words[1] = bpf_htonl(length << 16 | IPPROTO_ICMPV6 << 8 | hop_limit);
}

INLINE void solicit_nd(struct solicitation *nd, const __u8 *mac,
		       const struct addr *own, const struct addr *hop)
{
	enum { LENGTH = SOLICIT_ND - sizeof(struct ipv6hdr) };
	__be32 *to = (__be32 *)&nd->ip.daddr;

	solicit_ipv6(&nd->ip, LENGTH, ND_HOP_LIMIT);
	__builtin_memcpy(&nd->ip.saddr, own, sizeof(*own));
	/* The multicast group of all addresses with the same last 24 bits. */
	to[0] = bpf_htonl(0xff020000);
	to[1] = 0;
	to[2] = bpf_htonl(1);
	to[3] = hop->w[3] | bpf_htonl(0xff000000);
	nd->type = bpf_htonl((__u32)ICMPV6_SOLICITATION << 24);
	nd->reserved = 0;
	nd->target = *hop;
	nd->option = bpf_htons(1 << 8 | 1);
	mac_copy(nd->mac, mac);
	nd->type |= bpf_htonl(
		bpf_ntohs((FORCE __be16)solicit_sum(nd, LENGTH / 4, LENGTH)));
}

/* The destination of a frame for an address whose MAC address is not known. */
INLINE void solicit_group(__u8 *mac, const struct addr *hop)
{
	__u16 *words = MAC(mac);
	__u32 low = bpf_ntohl(hop->w[3]);

	if (addr_is_v4(hop)) {
		words[0] = words[1] = words[2] = 0xffff;
		return;
	}
	words[0] = (FORCE __u16)bpf_htons(0x3333);
	words[1] = (FORCE __u16)bpf_htons((__u16)(0xff00 | (low >> 16 & 0xff)));
	words[2] = (FORCE __u16)bpf_htons((__u16)low);
}

INLINE void solicit_echo_v4(struct echo_v4 *echo, const struct addr *from,
			    const struct addr *to)
{
	__be32 *words = (__be32 *)echo;
	__u32 sum = 0;
	int i;

	words[0] = bpf_htonl(0x45000000 | (__u32)sizeof(*echo));
	words[1] = bpf_htonl(0x4000);
	words[2] = bpf_htonl(ICMP_TTL << 24 | IPPROTO_ICMP << 16);
	words[3] = from->w[3];
	words[4] = to->w[3];
	for (i = 0; i < 5; i++)
		sum += checksum_word(words[i]);
	words[2] |=
		bpf_htonl((__u16)~bpf_ntohs((FORCE __be16)checksum_fold(sum)));
	/* Its checksum covers the type only. */
	echo->type =
		bpf_htonl(ICMP_REQUEST << 24 | (0xffff & ~(ICMP_REQUEST << 8)));
	echo->id = 0;
}

INLINE void solicit_echo_v6(struct echo_v6 *echo, const struct addr *from,
			    const struct addr *to)
{
	enum { LENGTH = SOLICIT_ECHO6 - sizeof(struct ipv6hdr) };

	solicit_ipv6(&echo->ip, LENGTH, ICMP_TTL);
	__builtin_memcpy(&echo->ip.saddr, from, sizeof(*from));
	__builtin_memcpy(&echo->ip.daddr, to, sizeof(*to));
	echo->type = bpf_htonl((__u32)ICMPV6_REQUEST << 24);
	echo->id = 0;
	echo->type |= bpf_htonl(
		bpf_ntohs((FORCE __be16)solicit_sum(echo, LENGTH / 4, LENGTH)));
}
