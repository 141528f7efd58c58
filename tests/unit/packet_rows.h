/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames, and what packet_parse() makes of each. */
#pragma once

#include "common/core/abi_packets.h"
#include "common/core/packet.h"
#include "common/core/packet_parse.h"
#include "tests/unit/frame.h"

/* clang-format off */
#define WORD(w) ((w) >> 8) & 255, (w) & 255
#define NAUGHT2 0, 0
#define NAUGHT4 0, 0, 0, 0
#define NAUGHT16 NAUGHT4, NAUGHT4, NAUGHT4, NAUGHT4
#define ETH(type) 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, WORD(type)
#define IPV4(ihl, length, fragment, protocol) ETH(0x0800), \
	0x40 | (ihl), 0, WORD(length), 0, 1, WORD(fragment), 64, protocol, \
	0, 0, 192, 0, 2, 1, 198, 51, 100, 7
#define SOURCE6 0x20, 1, 0xd, 0xb8, NAUGHT4, NAUGHT4, 0, 0, 0, 1
#define DESTINATION6 0x20, 1, 0xd, 0xb8, NAUGHT4, NAUGHT4, 0, 0, 0, 7
#define IPV6(length, next) ETH(0x86dd), \
	0x60, 0, 0, 0, WORD(length), next, 64, SOURCE6, DESTINATION6
/* A header of 8 bytes: options, or routing with `left` segments to go. */
#define OPTIONS(next) next, 0, 1, 4, NAUGHT4
#define ROUTE(next, left) next, 0, 0, left, NAUGHT4
#define PIECE(next, offset) next, 0, WORD(offset), 0, 0, 0, 9
#define PORTS WORD(40000), WORD(80)
#define TCP_HEADER(doff, flags) PORTS, 0, 0, 0, 1, 0, 0, 0, 0, \
	(doff) << 4, flags, WORD(512), NAUGHT4
#define UDP_HEADER(length) PORTS, WORD(length), NAUGHT2
#define ICMP_HEADER(type, code) type, code, NAUGHT2, 0, 7, 0, 1
#define BYTES(...) \
	.bytes = (const uint8_t[]){ __VA_ARGS__ }, \
	.length = sizeof((const uint8_t[]){ __VA_ARGS__ })
/* clang-format on */

#define SYN	 0x02
#define RST	 0x04
#define ACK	 0x10
#define OPTIONS4 1, 1, 1, 0 /* three no-ops and the end of options */

struct row {
	const char *name;
	const uint8_t *bytes;
	size_t length;
	enum reason reason;
	uint8_t protocol; /* and so it has ports, if it is TCP or UDP */
	uint8_t flags;
	bool is_echo;
	bool no_destination;
	uint32_t id; /* identification of a fragment */
};

/* clang-format off */
static const struct row rows[] = {
	{"tcp, SYN", BYTES(IPV4(5, 40, 0, TCP), TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_SYN},
	{"tcp, SYN and ACK", BYTES(IPV4(5, 40, 0, TCP),
				   TCP_HEADER(5, SYN | ACK)),
	 REASON_NONE, TCP},
	{"tcp, ACK, with a payload", BYTES(IPV4(5, 42, 0x4000, TCP),
					   TCP_HEADER(5, ACK), 1, 2),
	 REASON_NONE, TCP},
	{"tcp, RST", BYTES(IPV4(5, 40, 0, TCP), TCP_HEADER(5, RST)),
	 REASON_NONE, TCP, PACKET_RST},
	{"tcp, SYN and RST", BYTES(IPV4(5, 40, 0, TCP),
				   TCP_HEADER(5, SYN | RST)),
	 REASON_NONE, TCP, PACKET_SYN | PACKET_RST},
	{"tcp, FIN", BYTES(IPV4(5, 40, 0, TCP), TCP_HEADER(5, ACK | 0x01)),
	 REASON_NONE, TCP, PACKET_FIN},
	{"tcp, PSH", BYTES(IPV4(5, 42, 0, TCP), TCP_HEADER(5, ACK | 0x08), 1, 2),
	 REASON_NONE, TCP, PACKET_PUSH},
	{"tcp, padded to 60 bytes", BYTES(IPV4(5, 40, 0, TCP),
					  TCP_HEADER(5, ACK), NAUGHT4, 0, 0),
	 REASON_NONE, TCP},
	{"tcp, a header of four words", BYTES(IPV4(5, 40, 0, TCP),
					      TCP_HEADER(4, ACK)),
	 REASON_malformed},
	{"tcp, options behind the packet's end",
	 BYTES(IPV4(5, 40, 0, TCP), TCP_HEADER(6, ACK), NAUGHT4),
	 REASON_malformed},
	{"tcp, options", BYTES(IPV4(5, 44, 0, TCP), TCP_HEADER(6, ACK),
			       OPTIONS4),
	 REASON_NONE, TCP},
	{"tcp, total length inside its header",
	 BYTES(IPV4(5, 39, 0, TCP), TCP_HEADER(5, ACK)),
	 REASON_malformed},
	{"udp", BYTES(IPV4(5, 28, 0, UDP), UDP_HEADER(8)), REASON_NONE, UDP},
	{"udp, with a payload",
	 BYTES(IPV4(5, 40, 0, UDP), UDP_HEADER(20), NAUGHT4, NAUGHT4, NAUGHT4),
	 REASON_NONE, UDP},
	{"udp, length 7", BYTES(IPV4(5, 28, 0, UDP), UDP_HEADER(7)),
	 REASON_malformed},
	{"udp, total length inside its header",
	 BYTES(IPV4(5, 27, 0, UDP), UDP_HEADER(8)), REASON_malformed},
	{"echo request", BYTES(IPV4(5, 28, 0, ICMP), ICMP_HEADER(8, 0)),
	 REASON_NONE, ICMP, .is_echo = true},
	{"echo request of another code",
	 BYTES(IPV4(5, 28, 0, ICMP), ICMP_HEADER(8, 1)), REASON_NONE, ICMP},
	{"echo reply", BYTES(IPV4(5, 28, 0, ICMP), ICMP_HEADER(0, 0)),
	 REASON_NONE, ICMP},
	{"icmp of the other family's echo",
	 BYTES(IPV4(5, 28, 0, ICMP), ICMP_HEADER(128, 0)), REASON_NONE, ICMP},
	{"icmp, total length inside its header",
	 BYTES(IPV4(5, 27, 0, ICMP), ICMP_HEADER(8, 0)), REASON_malformed},
	{"ICMPv6 in IPv4", BYTES(IPV4(5, 28, 0, ICMPV6), ICMP_HEADER(128, 0)),
	 REASON_NONE, ICMPV6},
	{"gre", BYTES(IPV4(5, 24, 0, 47), NAUGHT4), REASON_NONE, 47},

	{"options", BYTES(IPV4(6, 44, 0, TCP), OPTIONS4, TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_SYN},
	{"40 bytes of options",
	 BYTES(IPV4(15, 68, 0, UDP), NAUGHT16, NAUGHT16, NAUGHT4, NAUGHT4,
	       UDP_HEADER(8)), REASON_NONE, UDP},
	{"a header of four words", BYTES(IPV4(4, 40, 0, TCP),
					 TCP_HEADER(5, SYN)),
	 REASON_malformed},
	{"a header of no words", BYTES(IPV4(0, 40, 0, TCP),
				       TCP_HEADER(5, SYN)),
	 REASON_malformed},
	{"total length inside the options",
	 BYTES(IPV4(6, 23, 0, TCP), OPTIONS4, TCP_HEADER(5, SYN)),
	 REASON_malformed},
	{"total length 0", BYTES(IPV4(5, 0, 0, TCP), TCP_HEADER(5, SYN)),
	 REASON_malformed},
	{"first fragment", BYTES(IPV4(5, 40, 0x2000, TCP),
				 TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_SYN | PACKET_FIRST, .id = 1},
	{"first fragment, too short for its header",
	 BYTES(IPV4(5, 36, 0x2000, TCP), PORTS, NAUGHT4, NAUGHT4, NAUGHT4),
	 REASON_malformed},
	{"first fragment, a longer datagram's",
	 BYTES(IPV4(5, 28, 0x2000, UDP), UDP_HEADER(4000)),
	 REASON_NONE, UDP, PACKET_FIRST, .id = 1},
	{"first fragment of an echo request",
	 BYTES(IPV4(5, 28, 0x2000, ICMP), ICMP_HEADER(8, 0)),
	 REASON_NONE, ICMP, PACKET_FIRST, .id = 1},
	{"first fragment of an error",
	 BYTES(IPV4(5, 28, 0x2000, ICMP), ICMP_HEADER(3, 4)),
	 REASON_NONE, ICMP, PACKET_FIRST, .id = 1},
	{"middle fragment", BYTES(IPV4(5, 40, 0x2001, TCP),
				  TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_LATER, .id = 1},
	{"last fragment", BYTES(IPV4(6, 32, 0x1fff, UDP), OPTIONS4,
				UDP_HEADER(7)),
	 REASON_NONE, UDP, PACKET_LATER, .id = 1},
	{"last fragment, of one byte", BYTES(IPV4(5, 21, 1, TCP), 0),
	 REASON_NONE, TCP, PACKET_LATER, .id = 1},
	{"version 6 in IPv4", BYTES(ETH(0x0800), 0x65, 0, WORD(40), NAUGHT4,
				    NAUGHT16, TCP_HEADER(5, SYN)),
	 REASON_malformed, .no_destination = true},

	{"v6 tcp, SYN", BYTES(IPV6(20, TCP), TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_SYN},
	{"v6 tcp, RST", BYTES(IPV6(20, TCP), TCP_HEADER(5, RST)),
	 REASON_NONE, TCP, PACKET_RST},
	{"v6 tcp, payload length inside its header",
	 BYTES(IPV6(19, TCP), TCP_HEADER(5, SYN)), REASON_malformed},
	{"v6 tcp, a header of four words",
	 BYTES(IPV6(20, TCP), TCP_HEADER(4, SYN)), REASON_malformed},
	{"v6 udp", BYTES(IPV6(8, UDP), UDP_HEADER(8)), REASON_NONE, UDP},
	{"v6 udp, length 7", BYTES(IPV6(8, UDP), UDP_HEADER(7)),
	 REASON_malformed},
	{"v6 echo request", BYTES(IPV6(8, ICMPV6), ICMP_HEADER(128, 0)),
	 REASON_NONE, ICMPV6, .is_echo = true},
	{"v6 neighbour solicitation",
	 BYTES(IPV6(24, ICMPV6), ICMP_HEADER(135, 0), NAUGHT16),
	 REASON_NONE, ICMPV6},
	{"ICMP in IPv6", BYTES(IPV6(8, ICMP), ICMP_HEADER(8, 0)),
	 REASON_NONE, ICMP},
	{"v6 no next header", BYTES(IPV6(0, 59)), REASON_NONE, 59},
	{"hop-by-hop", BYTES(IPV6(28, HOP_BY_HOP), OPTIONS(TCP),
			     TCP_HEADER(5, SYN)),
	 REASON_NONE, TCP, PACKET_SYN},
	{"hop-by-hop of 24 bytes",
	 BYTES(IPV6(32, HOP_BY_HOP), UDP, 2, 1, 20, NAUGHT4, NAUGHT16,
	       UDP_HEADER(8)), REASON_NONE, UDP},
	{"destination options, then echo",
	 BYTES(IPV6(16, DESTINATION_OPTIONS), OPTIONS(ICMPV6),
	       ICMP_HEADER(128, 0)), REASON_NONE, ICMPV6, .is_echo = true},
	{"routing, arrived", BYTES(IPV6(16, ROUTING), ROUTE(UDP, 0),
				   UDP_HEADER(8)), REASON_NONE, UDP},
	{"routing, one segment to go",
	 BYTES(IPV6(16, ROUTING), ROUTE(UDP, 1), UDP_HEADER(8)),
	 REASON_extension},
	{"v6 atomic fragment", BYTES(IPV6(28, FRAGMENT), PIECE(TCP, 0),
				     TCP_HEADER(5, ACK)), REASON_NONE, TCP},
	{"v6 atomic fragment, reserved bits",
	 BYTES(IPV6(16, FRAGMENT), PIECE(UDP, 6), UDP_HEADER(8)),
	 REASON_NONE, UDP},
	{"v6 first fragment", BYTES(IPV6(28, FRAGMENT), PIECE(TCP, 1),
				    TCP_HEADER(5, ACK)),
	 REASON_NONE, TCP, PACKET_FIRST, .id = 9},
	{"v6 first fragment, with options in it",
	 BYTES(IPV6(24, FRAGMENT), PIECE(DESTINATION_OPTIONS, 1), OPTIONS(UDP),
	       UDP_HEADER(8)), REASON_NONE, UDP, PACKET_FIRST, .id = 9},
	{"v6 first fragment, too short for its header",
	 BYTES(IPV6(16, FRAGMENT), PIECE(TCP, 1), PORTS, NAUGHT4),
	 REASON_malformed},
	{"v6 first fragment of an echo request",
	 BYTES(IPV6(16, FRAGMENT), PIECE(ICMPV6, 1), ICMP_HEADER(128, 0)),
	 REASON_NONE, ICMPV6, PACKET_FIRST, .id = 9},
	{"v6 last fragment", BYTES(IPV6(28, FRAGMENT), PIECE(TCP, 0xfff8),
				   TCP_HEADER(5, ACK)),
	 REASON_NONE, TCP, PACKET_LATER, .id = 9},
	{"v6 second of many", BYTES(IPV6(16, FRAGMENT), PIECE(UDP, 8 | 1),
				    UDP_HEADER(8)),
	 REASON_NONE, UDP, PACKET_LATER, .id = 9},
	{"v6 last fragment, of options",
	 BYTES(IPV6(16, FRAGMENT), PIECE(DESTINATION_OPTIONS, 8),
	       OPTIONS(UDP)), REASON_NONE, 60, PACKET_LATER, .id = 9},
	{"v6 a fragment in a fragment",
	 BYTES(IPV6(24, FRAGMENT), PIECE(FRAGMENT, 1), PIECE(UDP, 1),
	       UDP_HEADER(8)), REASON_extension},
	{"v6 a later fragment in a fragment",
	 BYTES(IPV6(24, FRAGMENT), PIECE(FRAGMENT, 1), PIECE(UDP, 8),
	       UDP_HEADER(8)), REASON_extension},
	{"v6 an atomic fragment in a fragment",
	 BYTES(IPV6(24, FRAGMENT), PIECE(FRAGMENT, 1), PIECE(UDP, 0),
	       UDP_HEADER(8)), REASON_NONE, UDP, PACKET_FIRST, .id = 9},
	{"hop-by-hop, routing, fragment, options",
	 BYTES(IPV6(40, HOP_BY_HOP), OPTIONS(ROUTING), ROUTE(FRAGMENT, 0),
	       PIECE(DESTINATION_OPTIONS, 0), OPTIONS(UDP), UDP_HEADER(8)),
	 REASON_NONE, UDP},
	{"authentication header",
	 BYTES(IPV6(32, 51), TCP, 4, NAUGHT2, NAUGHT4, NAUGHT16),
	 REASON_extension},
	{"eight extension headers",
	 BYTES(IPV6(72, 60), OPTIONS(60), OPTIONS(60), OPTIONS(60),
	       OPTIONS(60), OPTIONS(60), OPTIONS(60), OPTIONS(60),
	       OPTIONS(UDP), UDP_HEADER(8)), REASON_NONE, UDP},
	{"nine extension headers",
	 BYTES(IPV6(80, 60), OPTIONS(60), OPTIONS(60), OPTIONS(60),
	       OPTIONS(60), OPTIONS(60), OPTIONS(60), OPTIONS(60),
	       OPTIONS(60), OPTIONS(UDP), UDP_HEADER(8)),
	 REASON_extension},
	{"options behind the payload length",
	 BYTES(IPV6(4, 60), OPTIONS(59)), REASON_malformed},
	{"options behind the frame's end",
	 BYTES(IPV6(28, 60), UDP, 2, 1, 4, NAUGHT4, UDP_HEADER(8)),
	 REASON_malformed},
	{"version 4 in IPv6", BYTES(ETH(0x86dd), 0x45, 0, 0, 0, WORD(20), TCP,
				    64, SOURCE6, DESTINATION6,
				    TCP_HEADER(5, SYN)),
	 REASON_malformed, .no_destination = true},

	{"arp", BYTES(ETH(0x0806), 0, 1, 8, 0, 6, 4, 0, 1),
	 REASON_not_ip, .no_destination = true},
	{"802.3 length", BYTES(ETH(38), 0x42, 0x42, 3),
	 REASON_not_ip, .no_destination = true},
	{"vlan, cut short", BYTES(ETH(0x8100), 0, 5, 8),
	 REASON_malformed, .no_destination = true},
	{"vlan, IP cut short", BYTES(ETH(0x8100), 0, 5, 8, 0, 0x45, 0),
	 REASON_malformed, .no_destination = true},
	{"vlan, arp", BYTES(ETH(0x8100), 0, 5, 8, 6, 0, 1, 8, 0),
	 REASON_not_ip, .no_destination = true},
	{"vlan in vlan, the inner cut short",
	 BYTES(ETH(0x88a8), 0, 5, 0x81, 0, 0, 6, 8),
	 REASON_malformed, .no_destination = true},
	{"vlan in vlan in vlan",
	 BYTES(ETH(0x88a8), 0, 5, 0x81, 0, 0, 6, 0x81, 0, 0, 7, 8, 0),
	 REASON_vlan_tagged, .no_destination = true},
	{"Ethernet alone", BYTES(ETH(0x0800)),
	 REASON_malformed, .no_destination = true},
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static inline enum reason parse(struct packet *packet, struct frame frame)
{
	return packet_parse(packet, frame.bytes, frame.bytes + frame.length);
}

static inline void check_addresses(const struct packet *packet,
				   const struct row *row)
{
	static const uint8_t v4[2][16] = {
		{[10] = 255, [11] = 255, 192, 0, 2, 1},
		{[10] = 255, [11] = 255, 198, 51, 100, 7}};
	static const uint8_t v6[2][16] = {{SOURCE6}, {DESTINATION6}};
	bool is_ipv6 = row->bytes[12] == 0x86;

	assert_int_equal(packet->is_ipv6, is_ipv6);
	assert_memory_equal(&packet->source, (is_ipv6 ? v6 : v4)[0], 16);
	assert_memory_equal(&packet->destination, (is_ipv6 ? v6 : v4)[1], 16);
	assert_int_equal(packet->ttl, 64);
}

static inline void check_understood(const struct packet *packet,
				    const struct row *row, struct frame frame)
{
	bool ports = (row->protocol == TCP || row->protocol == UDP) &&
		     !(row->flags & PACKET_LATER);

	assert_int_equal(packet->protocol, row->protocol);
	assert_int_equal(packet->flags, row->flags);
	assert_int_equal(packet->is_echo, row->is_echo);
	assert_int_equal(packet->is_ipv6 ? bpf_ntohl(packet->fragment_id)
					 : bpf_ntohs(packet->fragment_id),
			 row->id);
	assert_int_equal(bpf_ntohs(packet->source_port), ports ? 40000 : 0);
	assert_int_equal(bpf_ntohs(packet->port), ports ? 80 : 0);
	assert_ptr_equal(packet->l4, frame.bytes + 14 + packet->l4_offset);
	if (ports)
		assert_memory_equal(packet->l4, ((uint8_t[]){PORTS}), 4);
	if (ports && row->protocol == TCP) {
		assert_int_equal(bpf_ntohl(packet->sequence), 1);
		assert_int_equal(packet->payload,
				 packet->length - packet->l4_offset -
					 (((uint8_t *)packet->l4)[12] >> 4) *
						 4);
	}
}

/* The fast parser agrees with the full one, or leaves the packet to it. */
static inline void check_plain(const struct packet *packet, enum reason reason,
			       const struct row *row, struct frame frame)
{
	struct packet plain;
	enum reason other = packet_parse_plain(&plain, frame.bytes,
					       frame.bytes + frame.length);

	if (other == REASON_UNUSUAL) {
		/*
		 * Few packets may be left to the full parser: see
		 * packet_parse_plain().
		 */
		if (reason == REASON_NONE && row->bytes[12] == 0x08 &&
		    (packet->protocol == TCP || packet->protocol == UDP) &&
		    (packet->is_ipv6 || packet->l4_offset == 20) &&
		    frame.length >=
			    packet->l3_offset + packet->l4_offset + 20 &&
		    !(row->flags & (PACKET_FIRST | PACKET_LATER)))
			fail_msg("%s: unusual", row->name);
		return;
	}
	if (other != reason || memcmp(&plain, packet, sizeof(plain)))
		fail_msg("%s: read in another way", row->name);
}
