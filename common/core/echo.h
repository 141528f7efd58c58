/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * echo.h - an echo request turned into its reply (RFC 792, RFC 4443 4.2)
 *
 * The load balancer answers pings of a VIP. No backend needs to be alive for
 * the address to be seen, and the kernel, which does not have the VIP, would
 * send the client a redirect.
 *
 * Source and destination are exchanged, which changes no checksum; type and TTL
 * change, and their checksums with them.
 */
#pragma once

#include "common/core/rewrite.h"

#define ECHO_TTL 64

INLINE void echo_reply(struct packet *packet)
{
	struct icmp *icmp = packet_icmp(packet);
	__u8 reply = packet->is_ipv6 ? ICMPV6_REPLY : ICMP_REPLY;
	__be16 before, after = bpf_htons((__u16)(reply << 8));
	__u8 mac[ETH_ALEN] __attribute__((aligned(2)));

	if (!icmp)
		return;
	before = bpf_htons((__u16)(icmp->type << 8));
	icmp->checksum = checksum_replace16(icmp->checksum, before, after);
	/*
	 * If the reply is all zeros, a checksum of 0 would be wrong; 0xffff is
	 * always right.
	 */
	if (!icmp->checksum)
		icmp->checksum = 0xffff;
	icmp->type = reply;
	rewrite_ttl(packet, ECHO_TTL);
	if (packet->is_ipv6) {
		__builtin_memcpy(&packet->ipv6->saddr, &packet->destination,
				 sizeof(struct addr));
		__builtin_memcpy(&packet->ipv6->daddr, &packet->source,
				 sizeof(struct addr));
	} else {
		packet->ipv4->saddr = packet->destination.w[3];
		packet->ipv4->daddr = packet->source.w[3];
	}
	mac_copy(mac, packet->eth->h_dest);
	rewrite_macs(packet, packet->eth->h_source, mac);
}
