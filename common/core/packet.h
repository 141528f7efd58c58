/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet.h - parse a frame, once
 *
 * packet_parse() parses Ethernet, up to two VLAN tags, IPv4 (with options) or
 * IPv6 (with extension headers) and TCP, UDP, ICMP or ICMPv6, and fills in
 * struct packet. The result is the same for both families, so the rest asks for
 * the family only to write.
 *
 * Nearly all packets are plain: no tag, no fragment, no extension header.
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

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/core/reason.h"
#include "common/core/vlan.h"

#define IPV4_FRAGMENT bpf_htons(0x3fff) /* more fragments, or an offset */
#define IPV4_OFFSET   bpf_htons(0x1fff)
#define IPV4_WHOLE    bpf_htons(0x4000) /* don't fragment */
#define IPV6_FRAGMENT bpf_htons(0xfff9)
#define IPV6_OFFSET   bpf_htons(0xfff8)
#define IPV6_HEADERS  8	     /* extension headers that are walked */
#define LENGTH_MOST   0xffff /* bytes, that IPv4's header can say */

/* The largest offsets of headers, in bytes; for the verifier. */
#define L2_MOST 22  /* Ethernet with two tags */
#define L3_MOST 127 /* with another IP header in front */
#define L4_MOST (sizeof(struct ipv6hdr) + IPV6_HEADERS * 2048)

enum packet_flags {
	PACKET_SYN = 1, /* TCP: SYN without ACK: opens a connection */
	PACKET_RST = 2,
	PACKET_QUOTES = 4, /* an ICMP error: see quote.h */
	PACKET_FIRST = 8,  /* the first fragment of a packet */
	PACKET_LATER = 16, /* a later fragment: no header at l4 */
	PACKET_FIN = 32,
	PACKET_PUSH = 64, /* TCP: the end of what the client wrote */
	PACKET_NEIGHBOUR =
		128, /* ICMPv6: neighbour discovery, from this link */
};

/*
 * ICMP and ICMPv6 begin alike. Not <linux/icmp.h>: it includes the C library,
 * which has no headers for the target bpf.
 */
struct icmp {
	__u8 type;
	__u8 code;
	__sum16 checksum;
	__be16 id;
	__be16 sequence;
};
#define ICMP_REQUEST   8
#define ICMP_REPLY     0
#define ICMPV6_REQUEST 128
#define ICMPV6_REPLY   129

/* Errors of these types are about the packet that they quote. */
#define ICMP_UNREACHABLE 3
#define ICMP_EXCEEDED	 11
#define ICMP_PARAMETER	 12
#define ICMPV6_ERRORS	 128 /* all types below (RFC 4443 2.1) */

/*
 * Neighbour discovery (RFC 4861): router solicitation to redirect. A hop limit
 * below 255 means that it came from another link.
 */
#define ICMPV6_NEIGHBOUR_FIRST 133
#define ICMPV6_NEIGHBOUR_LAST  137
#define NEIGHBOUR_TTL	       255

/*
 * The smallest MTU that is believed, bytes: IPv6's minimum (RFC 8200 5); for
 * IPv4, nobody needs less.
 */
#define IPV6_LEAST 1280
#define IPV4_LEAST 576

struct packet {
	struct ethhdr *eth;
	union {
		void *l3;
		struct iphdr *ipv4;
		struct ipv6hdr *ipv6;
	};
	void *l4;
	void *end; /* of the frame */
	/* 64 bits wide, because the verifier tracks only whole registers. */
	__u64 has_destination;
	__u64 is_ipv6;
	__u64 is_echo;	/* an ICMP or ICMPv6 echo request, at l4 */
	__u64 is_error; /* an ICMP or ICMPv6 error about a flow, at l4 */
	struct addr source;
	struct addr destination;
	struct addr quoted; /* is_error: the sender of the quoted packet */
	struct vlan vlan;   /* its tags */
	__be16 source_port; /* 0 if there are none */
	__be16 port;
	__u32 l3_offset;   /* bytes from eth */
	__u32 l4_offset;   /* bytes from l3 */
	__u32 length;	   /* of the IP packet, as its header says, bytes */
	__u32 fragment_id; /* in wire order; IPv4's has 16 bits */
	__u8 protocol;	   /* of the transport; IPPROTO_* */
	__u8 flags;	   /* enum packet_flags */
	__u8 ttl;	   /* or hop limit */
	__u8 is_martian;   /* see packet_has_martian_source() */
};
_Static_assert(__builtin_offsetof(struct packet, length) / 8 ==
		       __builtin_offsetof(struct packet, fragment_id) / 8,
	       "see packet_parse_plain()");

/*
 * A later fragment of UDP whose first fragment is not known may still have a
 * service. Its protocol and port are then values that no packet has: see struct
 * service_key.
 */
INLINE void packet_set_unknown(struct packet *packet)
{
	packet->protocol = IPPROTO_FRAGMENT;
	packet->port = (FORCE __be16)PORT_UNKNOWN;
}

INLINE int packet_is_unknown(const struct packet *packet)
{
	return packet->protocol == IPPROTO_FRAGMENT && packet->port;
}

/* IPv6 packets are never fragmented on the way. */
INLINE int packet_may_be_cut(const struct packet *packet)
{
	return !packet->is_ipv6 && !(packet->ipv4->frag_off & IPV4_WHOLE);
}

INLINE enum reason parse_tcp(struct packet *packet, void *end)
{
	struct tcphdr *tcp = packet->l4;

	if ((void *)(tcp + 1) > end)
		return REASON_malformed;
	if (tcp->doff < 5 || packet->l4_offset + tcp->doff * 4 > packet->length)
		return REASON_malformed;
	packet->source_port = tcp->source;
	packet->port = tcp->dest;
	if (tcp->syn && !tcp->ack)
		packet->flags |= PACKET_SYN;
	if (tcp->rst)
		packet->flags |= PACKET_RST;
	/* No `if`: the verifier would follow both branches. */
	packet->flags |= tcp->fin * PACKET_FIN | tcp->psh * PACKET_PUSH;
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
	packet->source_port = udp->source;
	packet->port = udp->dest;
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

/* The header. The caller returns REASON_fragment. */
INLINE enum reason parse_ipv4_header(struct packet *packet, void *end)
{
	struct iphdr *ip = packet->l3;

	if ((void *)(ip + 1) > end || ip->version != 4)
		return REASON_malformed;
	addr_set_v4(&packet->source, ip->saddr);
	addr_set_v4(&packet->destination, ip->daddr);
	packet->has_destination = 1;
	packet->protocol = ip->protocol;
	packet->ttl = ip->ttl;
	packet->length = bpf_ntohs(ip->tot_len);
	packet->l4_offset = ip->ihl * 4;
	if (ip->ihl < 5 || packet->length < packet->l4_offset)
		return REASON_malformed;
	return ip->frag_off & IPV4_FRAGMENT ? REASON_fragment : REASON_NONE;
}

INLINE enum reason parse_ipv4(struct packet *packet, void *end)
{
	enum reason reason = parse_ipv4_header(packet, end);

	return reason == REASON_NONE ? parse_l4(packet, end) : reason;
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
	return packet->l4_offset > packet->length ? REASON_malformed
						  : REASON_NONE;
}

/*
 * BIG TCP: what generic XDP sees of a GSO packet whose length does not fit into
 * 16 bits. Its header says 0, and the frame's length counts, as for the
 * kernel's iph_totlen(). In IPv6 there may be a jumbo option, too (RFC 2675),
 * that says the same; Linux puts it there, and takes it out again. No wire has
 * such frames: what says 0 and is short is malformed, as ever.
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

/*
 * Has it a source that no sender has: no host's address, its own destination
 * (which would answer itself) or, in IPv6, an IPv4 address?
 */
INLINE int packet_has_martian_source(const struct packet *packet)
{
	const struct addr *source = &packet->source;

	if (packet->is_ipv6)
		return addr_is_v4(source) || !addr_is_host(source) ||
		       addr_equal(source, &packet->destination);
	return !addr_is_host(source) ||
	       source->w[3] == packet->destination.w[3];
}

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

/*
 * The same for a plain packet; else REASON_UNUSUAL. All plain packets of one
 * family look alike to the verifier: the frame is checked for the longest
 * headers.
 */
INLINE enum reason packet_parse_plain(struct packet *packet, void *data,
				      void *end)
{
	__be16 ethertype;
	enum reason reason = parse_ethernet(packet, data, end, &ethertype);

	if (reason != REASON_NONE)
		return reason;
	if (ethertype == bpf_htons(ETH_P_IP))
		reason = parse_ipv4_header(packet, end);
	else if (ethertype == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(packet, end);
	else
		return is_tag(ethertype) ? REASON_UNUSUAL : REASON_not_ip;
	packet->l4 = packet->l3 + packet->l4_offset;
	if (reason != REASON_NONE || packet->l4 + sizeof(struct tcphdr) > end ||
	    packet_has_martian_source(packet))
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
	*(volatile __u32 *)&packet->fragment_id = 0;
	return reason == REASON_NONE ? REASON_NONE : REASON_UNUSUAL;
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
	/* Without it clang compares a sum that the verifier cannot follow. */
	asm volatile("" : "+r"(header_end));
	/*
	 * Before Linux 6.3 the verifier remembers only a constant on the stack.
	 */
	if (packet->is_ipv6) {
		*(volatile __u64 *)&packet->is_ipv6 = 1;
		return header_end > end ? -1 : 0;
	}
	*(volatile __u64 *)&packet->is_ipv6 = 0;
	return packet->l3 + sizeof(struct iphdr) > end ? -1 : 0;
}

/* The destination that is in the header now. */
INLINE void packet_destination(struct addr *to, const struct packet *packet)
{
	if (packet->is_ipv6)
		addr_set_v6(to, packet->ipv6->daddr.s6_addr32);
	else
		addr_set_v4(to, packet->ipv4->daddr);
}

/*
 * The ICMP header of a packet that is_echo or is_error. It was there when the
 * packet was parsed; before Linux 6.3 the verifier forgets that.
 */
INLINE struct icmp *packet_icmp(const struct packet *packet)
{
	struct icmp *icmp = packet->l4;

	return (void *)(icmp + 1) > packet->end ? 0 : icmp;
}
