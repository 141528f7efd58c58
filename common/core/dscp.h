/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dscp.h - the upper six bits of IPv4's type of service and of IPv6's traffic
 * class (RFC 2474). The lower two are ECN's, and stay.
 */
#pragma once

#include "common/core/checksum.h"
#include "common/core/packet.h"

/* Both fields as a whole. */
INLINE __u8 packet_tos(const struct packet *packet)
{
	if (!packet->is_ipv6)
		return packet->ipv4->tos;
	return bpf_ntohl(*(__be32 *)packet->ipv6) >> 20;
}

INLINE __u8 dscp_get(const struct packet *packet)
{
	return packet_tos(packet) >> 2;
}

INLINE void tos_set(struct packet *packet, __u8 tos)
{
	__be32 *ipv6 = (__be32 *)packet->ipv6;
	struct iphdr *ip = packet->ipv4;
	__be16 before, after;

	if (packet->is_ipv6) {
		*ipv6 = (*ipv6 & ~bpf_htonl(0x0ff00000)) |
			bpf_htonl((__u32)tos << 20);
		return;
	}
	/* It shares a 16-bit word with version and header length. */
	before = bpf_htons((__u16)(0x4000 | ip->ihl << 8 | ip->tos));
	after = bpf_htons((__u16)(0x4000 | ip->ihl << 8 | tos));
	ip->check = checksum_replace16(ip->check, before, after);
	ip->tos = tos;
}

INLINE void dscp_set(struct packet *packet, __u8 dscp)
{
	tos_set(packet, (__u8)(dscp << 2 | (packet_tos(packet) & 3)));
}

/*
 * `tos` with another DSCP: IPv4's type of service, or the first word of the
 * IPv6 header, in wire order.
 */
INLINE __u32 dscp_replace(__u32 tos, int is_ipv6, __u8 dscp)
{
	if (!is_ipv6)
		return (tos & 3) | (__u32)dscp << 2;
	return (FORCE __u32)(((FORCE __be32)tos & ~bpf_htonl(0x0fc00000)) |
			     bpf_htonl((__u32)dscp << 22));
}
