/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * segment.h - finds the headers of a packet, Ethernet to TCP or UDP
 *
 * Shares nothing with the data path's parser, so that a test that drops packets
 * does not go by the code that it tests. No VLAN tags, no IPv6 extensions.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Ethernet, IP and TCP with all options, and one byte of data. */
#define HEADERS_MOST	160
#define FRAGMENT_OFFSET 0x1fff

struct segment {
	__u32 source[4];   /* network byte order; IPv4 in the last word */
	__u32 sequence;	   /* the TCP sequence number, host byte order */
	__u16 source_port; /* host byte order; 0: neither TCP nor UDP */
	__u16 port;
	__u8 protocol;
	__u8 is_later; /* a fragment without ports */
	__u8 *payload; /* first byte behind the headers; NULL: there is none */
};

static __always_inline void *find_transport(struct segment *segment, void *data,
					    void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct ipv6hdr *ip6 = data + sizeof(*eth);

	if ((void *)(ip + 1) > end)
		return NULL;
	if (eth->h_proto == bpf_htons(ETH_P_IP)) {
		segment->source[3] = ip->saddr;
		segment->protocol = ip->protocol;
		segment->is_later =
			!!(ip->frag_off & bpf_htons(FRAGMENT_OFFSET));
		return (void *)ip + ip->ihl * 4;
	}
	if (eth->h_proto != bpf_htons(ETH_P_IPV6) || (void *)(ip6 + 1) > end)
		return NULL;
	__builtin_memcpy(segment->source, &ip6->saddr, sizeof(ip6->saddr));
	segment->protocol = ip6->nexthdr;
	return ip6 + 1;
}

/* Returns 0 if it is an IP packet; the segment then says what was found. */
static __always_inline int find_segment(struct segment *segment, void *data,
					void *end)
{
	void *transport = find_transport(segment, data, end);
	struct tcphdr *tcp = transport;
	struct udphdr *udp = transport;
	__u8 *payload = transport;

	if (!transport)
		return -1;
	if (segment->is_later)
		return 0;
	if (segment->protocol == IPPROTO_TCP && (void *)(tcp + 1) <= end) {
		segment->source_port = bpf_ntohs(tcp->source);
		segment->port = bpf_ntohs(tcp->dest);
		segment->sequence = bpf_ntohl(tcp->seq);
		payload = transport + tcp->doff * 4;
	} else if (segment->protocol == IPPROTO_UDP &&
		   (void *)(udp + 1) <= end) {
		segment->source_port = bpf_ntohs(udp->source);
		segment->port = bpf_ntohs(udp->dest);
		payload = (__u8 *)(udp + 1);
	}
	segment->payload = (void *)(payload + 1) <= end ? payload : NULL;
	return 0;
}
