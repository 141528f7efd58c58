/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet_parse.h - parse a frame, once
 *
 * packet_parse() parses Ethernet, up to two VLAN tags, IPv4 (with options) or
 * IPv6 (with extension headers) and TCP, UDP, ICMP or ICMPv6, and fills in
 * struct packet. The result is the same for both families, so the rest asks for
 * the family only to write.
 *
 * Nearly all packets are plain: no tag, no fragment, no option, no extension
 * header.
 * packet_parse_plain() parses those in a straight line and leaves the rest to
 * packet_parse(), which a BPF program calls as a function of its own
 * (common/bpf/parse.h). So the kernel verifies what follows for the few kinds
 * of plain packets, and not for all others. The law: both understand a plain
 * packet in the same way.
 *
 * The first fragment of a packet is parsed as any packet: its ports are there
 * (RFC 1858: if not, it is malformed). The others are known by their ends and
 * `fragment_id` only: PACKET_LATER, and no ports.
 *
 * The functions return a reason: REASON_NONE if the packet was understood, else
 * why not. A caller that may drop must know for whom the packet was, so
 * `destination` is valid as soon as has_destination is set, even if what
 * follows is broken.
 *
 * RFC 791 (IPv4), 8200 (IPv6 and the order of its headers), 6946 (atomic
 * fragments), 9293 (TCP), 768 (UDP), 792 and 4443 (ICMP).
 */
#pragma once

#include "common/core/packet_ip.h"
#include "common/core/verifier.h"

/* What is above IP; the packet may be a fragment. */
INLINE enum reason packet_parse_above(struct packet *packet, void *end)
{
	packet->is_martian = packet_has_martian_source(packet);
	if (!(packet->flags & PACKET_LATER))
		return parse_l4(packet, end);
	packet->l4 = packet->l3 + packet->l4_offset;
	return packet->l4 > end ? REASON_malformed : REASON_NONE;
}

/* Ethernet; packet->l3 is where the protocol *ethertype begins. */
INLINE enum reason parse_ethernet(struct packet *packet, void *data, void *end,
				  __be16 *ethertype)
{
	struct ethhdr *eth = data;

	__builtin_memset(packet, 0, sizeof(*packet));
	if ((void *)(eth + 1) > end)
		return REASON_malformed;
	packet->eth = eth;
	packet->l3 = eth + 1;
	packet->l3_offset = sizeof(*eth);
	packet->end = end;
	*ethertype = eth->h_proto;
	return REASON_NONE;
}

/* Up to two tags; *ethertype is what the last one announces. */
INLINE enum reason parse_tags(struct packet *packet, void *end,
			      __be16 *ethertype)
{
	struct tag *tag = packet->l3;
	__u16 found[TAGS_MOST] = {0, 0};
	int i;

	for (i = 0; i < TAGS_MOST && is_tag(*ethertype); i++, tag++) {
		if ((void *)(tag + 1) > end)
			return REASON_malformed;
		found[i] = tag_read(*ethertype, tag->tci);
		*ethertype = tag->protocol;
		packet->l3_offset += sizeof(*tag);
	}
	packet->vlan.outer = found[0];
	packet->vlan.inner = found[1];
	packet->l3 = tag;
	return REASON_NONE;
}

/* Ethernet and tags. */
INLINE enum reason packet_parse_link(struct packet *packet, void *data,
				     void *end, __be16 *ethertype)
{
	enum reason reason = parse_ethernet(packet, data, end, ethertype);

	return reason == REASON_NONE ? parse_tags(packet, end, ethertype)
				     : reason;
}

/* Is there a whole header of IPv4 or IPv6 at l3, as the ethertype says? */
INLINE int packet_is_ip(const struct packet *packet, void *end,
			__be16 ethertype)
{
	const __u8 *version = packet->l3;

	if (ethertype == bpf_htons(ETH_P_IP))
		return packet->l3 + sizeof(struct iphdr) <= end &&
		       *version >> 4 == 4;
	return ethertype == bpf_htons(ETH_P_IPV6) &&
	       packet->l3 + sizeof(struct ipv6hdr) <= end && *version >> 4 == 6;
}

/* IP and its extension headers. */
INLINE enum reason packet_parse_ip(struct packet *packet, void *end,
				   __be16 ethertype)
{
	enum reason reason;

	switch (ethertype) {
	case bpf_htons(ETH_P_IP):
		reason = parse_ipv4_header(packet, end);
		if (reason != REASON_fragment)
			return reason;
		parse_ipv4_fragment(packet);
		return REASON_NONE;
	case bpf_htons(ETH_P_IPV6):
		reason = parse_ipv6(packet, end);
		return reason == REASON_NONE ? parse_ipv6_headers(packet, end)
					     : reason;
	case bpf_htons(ETH_P_8021Q):
	case bpf_htons(ETH_P_8021AD):
		return REASON_vlan_tagged;
	default:
		return REASON_not_ip;
	}
}

/* Fills in *packet from the frame [data, end). */
INLINE enum reason packet_parse(struct packet *packet, void *data, void *end)
{
	__be16 ethertype;
	enum reason reason = packet_parse_link(packet, data, end, &ethertype);

	if (reason == REASON_NONE)
		reason = packet_parse_ip(packet, end, ethertype);
	if (reason == REASON_malformed &&
	    packet_is_big(packet, packet->l3, end, end - data))
		reason = REASON_NONE;
	return reason == REASON_NONE ? packet_parse_above(packet, end) : reason;
}

/* The IP header of a plain packet at l3: every offset is a constant. */
INLINE enum reason parse_plain_ipv4(struct packet *packet, void *end)
{
	struct iphdr *ip = packet->l3;
	const __u8 *version_and_size = packet->l3;

	if ((void *)(ip + 1) + sizeof(struct tcphdr) > end ||
	    *version_and_size != (4 << 4 | sizeof(*ip) / 4) ||
	    ip->frag_off & IPV4_FRAGMENT)
		return REASON_UNUSUAL;
	packet_read_ipv4(packet, ip);
	packet->is_ipv6 = 0;
	packet->l4 = ip + 1;
	packet->l4_offset = sizeof(*ip);
	return REASON_NONE;
}

INLINE enum reason parse_plain_ipv6(struct packet *packet, void *end)
{
	struct ipv6hdr *ip = packet->l3;

	packet->l4 = ip + 1;
	return packet->l4 + sizeof(struct tcphdr) > end
		       ? REASON_UNUSUAL
		       : parse_ipv6(packet, end);
}

/*
 * From IP on, of the plain packet at l3, IPv4 or IPv6; else REASON_UNUSUAL, see
 * below. Sets all that packet_begin_plain() does not.
 */
INLINE enum reason parse_plain(struct packet *packet, void *end,
			       __be16 ethertype)
{
	enum reason reason = ethertype == bpf_htons(ETH_P_IP)
				     ? parse_plain_ipv4(packet, end)
				     : parse_plain_ipv6(packet, end);

	if (reason != REASON_NONE || packet_has_martian_source(packet))
		return REASON_UNUSUAL;
	if (packet->protocol == IPPROTO_TCP)
		reason = parse_tcp(packet, end);
	else if (packet->protocol == IPPROTO_UDP)
		reason = parse_udp(packet, end);
	else
		return REASON_UNUSUAL;
	/*
	 * As it is. But with a store into its word, the verifier forgets the
	 * bounds of the length; TCP and UDP are then one state to it.
	 */
	FORGET_BESIDE(packet->fragment_id, 0);
	return reason == REASON_NONE ? REASON_NONE : REASON_UNUSUAL;
}

INLINE void packet_begin_plain(struct packet *packet, void *data, void *end)
{
	packet->eth = data;
	packet->l3 = data + sizeof(struct ethhdr);
	packet->end = end;
	packet->is_error = 0;
	__builtin_memset(&packet->quoted, 0, sizeof(packet->quoted));
	__builtin_memset(&packet->vlan, 0, sizeof(packet->vlan));
	packet->l3_offset = sizeof(struct ethhdr);
	/* In one word with what is set later. */
	__builtin_memset(&packet->protocol, 0, 8);
}

/*
 * packet_parse() for a plain packet; else REASON_UNUSUAL. All plain packets of
 * one family look alike to the verifier: the frame is checked for the longest
 * headers, and IP's have one length. Nothing is written twice.
 */
INLINE enum reason packet_parse_plain(struct packet *packet, void *data,
				      void *end)
{
	const struct ethhdr *eth = data;
	__be16 ethertype = 0;
	enum reason reason;

	if ((void *)(eth + 1) <= end)
		__builtin_memcpy(&ethertype, MAC(&eth->h_proto), 2);
	if (ethertype != bpf_htons(ETH_P_IP) &&
	    ethertype != bpf_htons(ETH_P_IPV6)) {
		reason = parse_ethernet(packet, data, end, &ethertype);
		if (reason != REASON_NONE)
			return reason;
		return is_tag(ethertype) ? REASON_UNUSUAL : REASON_not_ip;
	}
	packet_begin_plain(packet, data, end);
	return parse_plain(packet, end, ethertype);
}

/* Of a packet for which that is REASON_UNUSUAL: has the frame tags? */
INLINE int packet_is_tagged(const struct packet *packet)
{
	__be16 ethertype;

	__builtin_memcpy(&ethertype, MAC(&packet->eth->h_proto), 2);
	return is_tag(ethertype);
}

/*
 * Sets the pointers again, from the offsets, in a frame that has moved or that
 * another function parsed. 0, or -1: the frame is too short.
 */
INLINE int packet_locate(struct packet *packet, void *data, void *end)
{
	void *header_end;

	if (packet->l3_offset > L3_MOST || packet->l4_offset > L4_MOST ||
	    data + sizeof(struct ethhdr) > end)
		return -1;
	packet->eth = data;
	packet->l3 = data + packet->l3_offset;
	packet->l4 = packet->l3 + packet->l4_offset;
	packet->end = end;
	header_end = packet->l3 + sizeof(struct ipv6hdr);
	KEEP_SUM(header_end);
	if (packet->is_ipv6) {
		TELL(packet->is_ipv6, 1);
		return header_end > end ? -1 : 0;
	}
	TELL(packet->is_ipv6, 0);
	return packet->l3 + sizeof(struct iphdr) > end ? -1 : 0;
}
