/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet.h - a frame, as packet_parse.h has read it once
 *
 * Both families come out the same, so nothing asks which one it was except to
 * write.
 */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
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

/* The first four are where they are in TCP's header (RFC 9293 3.1). */
enum packet_flags {
	PACKET_FIN = 1,
	PACKET_SYN = 2, /* TCP: SYN without ACK: opens a connection */
	PACKET_RST = 4,
	PACKET_PUSH = 8,    /* TCP: the end of what the client wrote */
	PACKET_QUOTES = 16, /* an ICMP error: see quote.h */
	PACKET_FIRST = 32,  /* the first fragment of a packet */
	PACKET_LATER = 64,  /* a later fragment: no header at l4 */
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
	__u64 is_error; /* an ICMP or ICMPv6 error about a flow, at l4 */
	struct addr source;
	struct addr destination;
	union {
		struct addr quoted; /* is_error: the quoted packet's sender */
		struct {	    /* not is_error, and of TCP: */
			__be32 sequence; /* 0 for a later fragment */
			__u32 payload;	 /* bytes above TCP */
		};
	};
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
	__u8 is_echo;	   /* an ICMP or ICMPv6 echo request, at l4 */
	__u8 zero[3];
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
