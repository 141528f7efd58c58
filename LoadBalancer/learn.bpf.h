/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * learn.bpf.h - what routers say of the way to a backend
 *
 * A packet in an outer header is the load balancer's own to them: where the
 * next link does not take it, the error comes here. It is believed if it quotes
 * such a packet, from the address that it was sent to, and of no MTU that is
 * less than any link's of today.
 */
#pragma once

#include "common/core/age.h"

/* The MTU that an error tells of, or 0: it is about something else. */
INLINE __u32 told_mtu(const struct packet *packet, const struct icmp *icmp)
{
	__u32 mtu =
		(__u32)bpf_ntohs(icmp->id) << 16 | bpf_ntohs(icmp->sequence);

	if (packet->is_ipv6)
		return icmp->type == ICMPV6_TOO_BIG && mtu >= IPV6_LEAST ? mtu
									 : 0;
	mtu &= 0xffff;
	return icmp->type == ICMP_UNREACHABLE &&
			       icmp->code == ICMP_FRAG_NEEDED &&
			       mtu >= IPV4_LEAST
		       ? mtu
		       : 0;
}

/* Of the error in `parsed`. The packet that it quotes has two IP headers. */
__attribute__((noinline)) int learn_mtu(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0, at;
	struct packet *packet = bpf_map_lookup_elem(&parsed, &zero);
	struct path_mtu value = {};
	struct iphdr *v4;
	struct ipv6hdr *v6;
	struct icmp *icmp;
	struct addr from, to;
	__u8 protocol;

	if (!packet)
		return 0;
	at = packet->l3_offset + packet->l4_offset;
	if (at > L3_MOST + L4_MOST)
		return 0;
	icmp = data + at;
	v4 = (void *)(icmp + 1);
	v6 = (void *)(icmp + 1);
	if (packet->is_ipv6) {
		if ((void *)(v6 + 1) > end)
			return 0;
		addr_set_v6(&from, v6->saddr.s6_addr32);
		addr_set_v6(&to, v6->daddr.s6_addr32);
		protocol = v6->nexthdr;
	} else {
		if ((void *)(v4 + 1) > end)
			return 0;
		addr_set_v4(&from, v4->saddr);
		addr_set_v4(&to, v4->daddr);
		protocol = v4->protocol;
	}
	value.mtu = told_mtu(packet, icmp);
	value.seen = bpf_jiffies64();
	if (!value.mtu || !addr_equal(&from, &packet->destination) ||
	    (protocol != IPPROTO_IPIP && protocol != IPPROTO_IPV6))
		return 0;
	if (!DRY_RUN)
		bpf_map_update_elem(&path_mtus, &to, &value, BPF_ANY);
	return 0;
}

/* What is known of the way to an address; 0: nothing, or of long ago. */
INLINE __u32 path_mtu(const struct addr *to, __u64 now)
{
	struct path_mtu *path = bpf_map_lookup_elem(&path_mtus, to);

	if (!path || age(now, path->seen) > constants.mtu_age)
		return 0;
	return path->mtu;
}
