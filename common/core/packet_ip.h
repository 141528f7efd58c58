/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet_ip.h - IP headers and what is above them, read; for packet_parse.h
 */
#pragma once

#include "common/core/packet.h"

/* TCP and UDP begin with both, as struct packet has them. */
INLINE void packet_set_ports(struct packet *packet, const void *l4)
{
	__builtin_memcpy(&packet->source_port, __builtin_assume_aligned(l4, 4),
			 sizeof(packet->source_port) + sizeof(packet->port));
}

INLINE enum reason parse_tcp(struct packet *packet, void *end)
{
	struct tcphdr *tcp = packet->l4;

	const __u8 *bytes = packet->l4;
	__u32 size, flags;

	if ((void *)(tcp + 1) > end)
		return REASON_malformed;
	size = bytes[12] >> 4 << 2;
	flags = bytes[13];
	if (size < sizeof(*tcp) || packet->l4_offset + size > packet->length)
		return REASON_malformed;
	packet_set_ports(packet, tcp);
	packet->sequence = tcp->seq;
	packet->payload = packet->length - packet->l4_offset - size;
	/*
	 * SYN only without ACK, which is three bits above it. No `if`: the
	 * verifier would follow both branches.
	 */
	flags &= PACKET_FIN | PACKET_RST | PACKET_PUSH |
		 (PACKET_SYN & ~(flags >> 3));
	packet->flags |= flags;
	return REASON_NONE;
}

INLINE enum reason parse_udp(struct packet *packet, void *end)
{
	struct udphdr *udp = packet->l4;

	if ((void *)(udp + 1) > end)
		return REASON_malformed;
	if (bpf_ntohs(udp->len) < sizeof(*udp) ||
	    packet->l4_offset + sizeof(*udp) > packet->length)
		return REASON_malformed;
	packet_set_ports(packet, udp);
	return REASON_NONE;
}

/* Both families: type, code and checksum lie at the same offsets. */
INLINE enum reason parse_icmp(struct packet *packet, void *end)
{
	struct icmp *icmp = packet->l4;
	__u8 request = packet->is_ipv6 ? ICMPV6_REQUEST : ICMP_REQUEST;

	if ((void *)(icmp + 1) > end ||
	    packet->l4_offset + sizeof(*icmp) > packet->length)
		return REASON_malformed;
	/* A fragment of these can neither be answered nor read. */
	if (packet->flags & PACKET_FIRST)
		return REASON_NONE;
	if (icmp->type == request && !icmp->code)
		packet->is_echo = 1;
	if (packet->is_ipv6 ? icmp->type < ICMPV6_ERRORS
			    : icmp->type == ICMP_UNREACHABLE ||
				      icmp->type == ICMP_EXCEEDED ||
				      icmp->type == ICMP_PARAMETER)
		packet->flags |= PACKET_QUOTES;
	if (packet->is_ipv6 && icmp->type >= ICMPV6_NEIGHBOUR_FIRST &&
	    icmp->type <= ICMPV6_NEIGHBOUR_LAST && packet->ttl == NEIGHBOUR_TTL)
		packet->flags |= PACKET_NEIGHBOUR;
	return REASON_NONE;
}

INLINE enum reason parse_l4(struct packet *packet, void *end)
{
	packet->l4 = packet->l3 + packet->l4_offset;
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return parse_tcp(packet, end);
	case IPPROTO_UDP:
		return parse_udp(packet, end);
	case IPPROTO_ICMP:
		return packet->is_ipv6 ? REASON_NONE : parse_icmp(packet, end);
	case IPPROTO_ICMPV6:
		return packet->is_ipv6 ? parse_icmp(packet, end) : REASON_NONE;
	default:
		return REASON_NONE;
	}
}

/* What the header says, but for its own length. */
INLINE void packet_read_ipv4(struct packet *packet, const struct iphdr *ip)
{
	addr_set_v4(&packet->source, ip->saddr);
	addr_set_v4(&packet->destination, ip->daddr);
	packet->has_destination = 1;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	packet->length = bpf_ntohs(ip->tot_len);
}

/* The header. The caller returns REASON_fragment. */
INLINE enum reason parse_ipv4_header(struct packet *packet, void *end)
{
	struct iphdr *ip = packet->l3;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return REASON_malformed;
	packet_read_ipv4(packet, ip);
	packet->l4_offset = ip->ihl * 4;
	if (ip->ihl < 5 || packet->length < packet->l4_offset)
		return REASON_malformed;
	return ip->frag_off & IPV4_FRAGMENT ? REASON_fragment : REASON_NONE;
}

/* Which fragment, after REASON_fragment. */
INLINE void parse_ipv4_fragment(struct packet *packet)
{
	packet->fragment_id = (FORCE __u16)packet->ipv4->id;
	packet->flags = packet->ipv4->frag_off & IPV4_OFFSET ? PACKET_LATER
							     : PACKET_FIRST;
}

/* The fragment header at packet->l4_offset; it lies within the frame. */
INLINE enum reason parse_ipv6_fragment(struct packet *packet)
{
	struct {
		struct ipv6_opt_hdr head;
		__be16 offset;
		__be32 id;
	} *fragment = packet->l3 + packet->l4_offset;

	packet->protocol = fragment->head.nexthdr;
	packet->l4_offset += 8;
	if (!(fragment->offset & IPV6_FRAGMENT))
		return REASON_NONE;
	/* A fragment of a fragment. */
	if (packet->flags & PACKET_FIRST)
		return REASON_extension;
	packet->fragment_id = (FORCE __u32)fragment->id;
	if (!(fragment->offset & IPV6_OFFSET)) {
		packet->flags |= PACKET_FIRST;
		return REASON_NONE;
	}
	packet->flags |= PACKET_LATER;
	return REASON_NO_HEADER;
}

/*
 * One extension header at packet->l4_offset, of type packet->protocol.
 * REASON_NONE: parsed, another may follow. REASON_NO_HEADER: it is none.
 */
INLINE enum reason parse_ipv6_header(struct packet *packet, void *end)
{
	struct ipv6_opt_hdr *header = packet->l3 + packet->l4_offset;
	struct ipv6_rt_hdr *routing = (void *)header;

	switch (packet->protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_DSTOPTS:
	case IPPROTO_ROUTING:
		/* Such a header has at least 8 bytes. */
		if ((void *)header + 8 > end)
			return REASON_malformed;
		if (packet->protocol == IPPROTO_ROUTING &&
		    routing->segments_left)
			return REASON_extension;
		packet->protocol = header->nexthdr;
		packet->l4_offset += (header->hdrlen + 1) * 8;
		return REASON_NONE;
	case IPPROTO_FRAGMENT:
		if ((void *)header + 8 > end)
			return REASON_malformed;
		return parse_ipv6_fragment(packet);
	case IPPROTO_AH: /* signs the addresses */
		return REASON_extension;
	default:
		return REASON_NO_HEADER;
	}
}

/* The fixed IPv6 header. */
INLINE enum reason parse_ipv6(struct packet *packet, void *end)
{
	struct ipv6hdr *ip = packet->l3;

	if ((void *)(ip + 1) > end || ip->version != 6)
		return REASON_malformed;
	addr_set_v6(&packet->source, ip->saddr.s6_addr32);
	addr_set_v6(&packet->destination, ip->daddr.s6_addr32);
	packet->has_destination = 1;
	packet->is_ipv6 = 1;
	packet->protocol = ip->nexthdr;
	packet->ttl = ip->hop_limit;
	packet->length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	packet->l4_offset = sizeof(*ip);
	return REASON_NONE;
}

/* The extension headers behind it. */
INLINE enum reason parse_ipv6_headers(struct packet *packet, void *end)
{
	enum reason reason = REASON_NONE;
	int i;

	for (i = 0; i <= IPV6_HEADERS; i++) {
		reason = parse_ipv6_header(packet, end);
		if (reason != REASON_NONE)
			break;
	}
	if (reason == REASON_NONE)
		return REASON_extension; /* more than any sender uses */
	if (reason != REASON_NO_HEADER)
		return reason;
	/* TCP has a header; or the length is not what it says, see below. */
	return packet->l4_offset + (packet->protocol == IPPROTO_TCP) >
			       packet->length
		       ? REASON_malformed
		       : REASON_NONE;
}

/*
 * BIG TCP: what generic XDP sees of a GSO packet whose length does not fit into
 * 16 bits. Its header says 0, and the frame's length counts, as for the
 * kernel's iph_totlen(). In IPv6 there may be a jumbo option, too (RFC 2675),
 * that says the same; before 7.0, Linux puts it there, and takes it out again.
 * No wire has such frames: what says 0 and is short is malformed, as ever.
 *
 * Asked after REASON_malformed of packet_parse_ip(). Sets the length where it
 * is one; `frame`: its bytes, also those behind `end`.
 */
INLINE int packet_is_big(struct packet *packet, const struct iphdr *ip,
			 void *end, __u64 frame)
{
	if (!packet->has_destination || packet->protocol != IPPROTO_TCP ||
	    packet->flags & (PACKET_FIRST | PACKET_LATER) ||
	    frame <= packet->l3_offset + LENGTH_MOST)
		return 0;
	if (packet->is_ipv6
		    ? packet->length != sizeof(struct ipv6hdr)
		    : (void *)(ip + 1) > end || ip->tot_len || ip->ihl < 5 ||
			      ip->frag_off & IPV4_FRAGMENT)
		return 0;
	packet->length = frame - packet->l3_offset;
	return 1;
}
