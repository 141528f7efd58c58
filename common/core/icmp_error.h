/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp_error.h - the load balancer's own ICMP errors
 *
 * A router that cannot forward a packet tells its sender (RFC 1812 4.3, RFC
 * 4443 3): the TTL has run out, or the packet is too big for the next link. The
 * load balancer is such a router, and no router behind it can do so in its
 * place: the client does not know the backend's address, which that error would
 * quote.
 *
 * Two headers, IP and ICMP, are put in front of the packet as the client sent
 * it, from the load balancer's own address. The error carries as much of the
 * packet as it may (RFC 1812 4.3.2.3: 576 bytes in all; RFC 4443 2.4: 1280).
 */
#pragma once

#include "common/core/checksum.h"
#include "common/core/packet.h"

enum icmp_error {
	ICMP_ERROR_EXCEEDED, /* the TTL or hop limit */
	ICMP_ERROR_TOO_BIG,
};

#define ICMP_TTL	64
#define ICMP_ERROR_IPV4 576 /* bytes at most */
#define ICMP_ERROR_IPV6 1280
#define ICMP_ERROR_TOS	0xc0 /* internetwork control (RFC 1812 4.3.2.5) */

#define ICMP_FRAG_NEEDED 4 /* a code of ICMP_UNREACHABLE */
#define ICMPV6_TOO_BIG	 2
#define ICMPV6_EXCEEDED	 3

/* The headers in front of the quote. */
struct icmp_error_v4 {
	struct iphdr ip;
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 rest; /* 16 unused bits, and the MTU */
};
_Static_assert(sizeof(struct icmp_error_v4) == 28, "icmp_error_v4");

struct icmp_error_v6 {
	struct ipv6hdr ip;
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be32 rest; /* the MTU */
};
_Static_assert(sizeof(struct icmp_error_v6) == 48, "icmp_error_v6");

/*
 * Is the packet most likely a single one, by its size? An error about several
 * merged packets would itself be sent as several.
 */
INLINE int packet_is_small(const struct packet *packet)
{
	return packet->length <= ETH_DATA_LEN;
}

/*
 * Was it a single packet on the wire? In generic mode it may be several that
 * the kernel has merged, or that a sender on the same machine has left to be
 * segmented later. That is never a fragment, nor a SYN, nor UDP of this size,
 * because the kernel does not merge UDP that it is to forward.
 */
INLINE int packet_is_single(const struct packet *packet)
{
	return packet->flags & (PACKET_FIRST | PACKET_LATER | PACKET_SYN) ||
	       (packet->protocol == IPPROTO_UDP && packet_is_small(packet));
}

/*
 * No error is sent about an error, because two hosts could go on for ever; nor
 * about any fragment but the first; nor about a packet to more than one host
 * (RFC 1122 3.2.2, RFC 4443 2.4 e).
 */
INLINE int icmp_error_is_allowed(const struct packet *packet, int generic)
{
	return !(packet->flags & (PACKET_QUOTES | PACKET_LATER)) &&
	       addr_is_host(&packet->source) &&
	       (!generic || packet_is_small(packet));
}

/*
 * Is there a size that the sender can be told? No IPv6 link takes less than
 * 1280.
 */
INLINE int icmp_error_helps(const struct packet *packet)
{
	return !packet->is_ipv6 || packet->length > IPV6_LEAST;
}

INLINE __u32 icmp_error_mtu(const struct packet *packet, __u32 mtu)
{
	return packet->is_ipv6 && mtu < IPV6_LEAST ? IPV6_LEAST : mtu;
}

/* Bytes before the quote. */
INLINE __u32 icmp_error_head(const struct packet *packet)
{
	return packet->is_ipv6 ? sizeof(struct icmp_error_v6)
			       : sizeof(struct icmp_error_v4);
}

/* How many bytes of the packet are quoted, if `there` bytes can be read. */
INLINE __u32 icmp_error_quote(const struct packet *packet, __u32 there)
{
	__u32 most = packet->is_ipv6 ? ICMP_ERROR_IPV6 : ICMP_ERROR_IPV4;

	most -= icmp_error_head(packet);
	if (there > packet->length)
		there = packet->length;
	return there < most ? there : most;
}

/*
 * The source is the packet's destination, which is by now the address that
 * answers.
 */
INLINE void icmp_error_put_v4(struct icmp_error_v4 *error,
			      const struct packet *packet, enum icmp_error what,
			      __u32 mtu, __u32 quote)
{
	__be32 *words = (__be32 *)error;
	__u32 sum = 0;
	int i;

	words[0] = bpf_htonl(0x45000000 | ICMP_ERROR_TOS << 16 |
			     ((__u32)sizeof(*error) + quote));
	words[1] = bpf_htonl(0x4000); /* don't fragment, so it needs no id */
	words[2] = bpf_htonl(ICMP_TTL << 24 | IPPROTO_ICMP << 16);
	words[3] = packet->destination.w[3];
	words[4] = packet->source.w[3];
	for (i = 0; i < 5; i++)
		sum += checksum_word(words[i]);
	error->ip.check = (FORCE __sum16)(__u16)~checksum_fold(sum);
	error->type =
		what == ICMP_ERROR_EXCEEDED ? ICMP_EXCEEDED : ICMP_UNREACHABLE;
	error->code = what == ICMP_ERROR_EXCEEDED ? 0 : ICMP_FRAG_NEEDED;
	error->checksum = 0;
	error->rest = bpf_htonl(mtu & 0xffff);
}

INLINE void icmp_error_put_v6(struct icmp_error_v6 *error,
			      const struct packet *packet, enum icmp_error what,
			      __u32 mtu, __u32 quote)
{
	__be32 *words = (__be32 *)error;

	words[0] = bpf_htonl(0x60000000);
	words[1] =
		bpf_htonl((quote + 8) << 16 | IPPROTO_ICMPV6 << 8 | ICMP_TTL);
	__builtin_memcpy(&error->ip.saddr, &packet->destination,
			 sizeof(struct addr));
	__builtin_memcpy(&error->ip.daddr, &packet->source,
			 sizeof(struct addr));
	error->type =
		what == ICMP_ERROR_EXCEEDED ? ICMPV6_EXCEEDED : ICMPV6_TOO_BIG;
	error->code = 0;
	error->checksum = 0;
	error->rest = bpf_htonl(mtu);
}

/* ICMPv6's checksum covers these too (RFC 8200 8.1). */
INLINE __u64 icmp_error_pseudo(const struct icmp_error_v6 *error)
{
	const __be32 *words = (const __be32 *)&error->ip.saddr;
	__u64 sum = (FORCE __u16)error->ip.payload_len +
		    (FORCE __u16)bpf_htons(IPPROTO_ICMPV6);
	int i;

	for (i = 0; i < 8; i++)
		sum += checksum_word(words[i]);
	return sum;
}
