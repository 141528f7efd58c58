// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of frames and what packet_parse() makes of them; and the law that
 * of no frame, however short, anything behind its end is read or believed.
 */
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
	uint8_t protocol; /* and with it ports, where it is TCP or UDP */
	uint8_t flags;
	bool is_echo;
	bool no_destination;
	uint32_t id; /* of a fragment */
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

static enum reason parse(struct packet *packet, struct frame frame)
{
	return packet_parse(packet, frame.bytes, frame.bytes + frame.length);
}

static void check_addresses(const struct packet *packet, const struct row *row)
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

static void check_understood(const struct packet *packet, const struct row *row,
			     struct frame frame)
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
}

/* The straight line: the same, or it says that the packet is not for it. */
static void check_plain(const struct packet *packet, enum reason reason,
			const struct row *row, struct frame frame)
{
	struct packet plain;
	enum reason other = packet_parse_plain(&plain, frame.bytes,
					       frame.bytes + frame.length);

	if (other == REASON_UNUSUAL) {
		/* Most packets must not be: see packet_parse_plain(). */
		if (reason == REASON_NONE && row->bytes[12] == 0x08 &&
		    (packet->protocol == TCP || packet->protocol == UDP) &&
		    frame.length >=
			    packet->l3_offset + packet->l4_offset + 20 &&
		    !(row->flags & (PACKET_FIRST | PACKET_LATER)))
			fail_msg("%s: unusual", row->name);
		return;
	}
	if (other != reason || memcmp(&plain, packet, sizeof(plain)))
		fail_msg("%s: read in another way", row->name);
}

static void frames_of_the_table(void **unused)
{
	size_t i;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct frame frame = frame_copy(row->bytes, row->length);
		struct packet packet;
		enum reason reason = parse(&packet, frame);

		check_plain(&packet, reason, row, frame);
		if (reason != row->reason)
			fail_msg("%s: reason %d, not %d", row->name, reason,
				 row->reason);
		if (packet.has_destination == row->no_destination)
			fail_msg("%s: has_destination", row->name);
		if (packet.has_destination)
			check_addresses(&packet, row);
		if (reason == REASON_NONE)
			check_understood(&packet, row, frame);
		assert_memory_equal(frame.bytes, row->bytes, row->length);
		frame_free(frame);
	}
}

/* Is the fixed part of the transport's header within the frame? */
static bool transport_is_there(const struct packet *packet, struct frame frame)
{
	size_t need = packet->protocol == TCP	   ? 20
		      : packet->protocol == UDP	   ? 8
		      : packet->protocol == ICMP   ? 8
		      : packet->protocol == ICMPV6 ? 8
						   : 0;

	if (packet->protocol == (packet->is_ipv6 ? ICMP : ICMPV6))
		return true; /* passed over, as any foreign protocol */
	if (packet->flags & PACKET_LATER) /* none is claimed */
		return 14 + packet->l4_offset <= frame.length;
	return !need || 14 + packet->l4_offset + need <= frame.length;
}

static void check_truncated(const struct row *row, size_t length)
{
	struct frame frame = frame_copy(row->bytes, length);
	size_t header = row->bytes[12] == 0x86 ? 40 : 20;
	struct packet packet;
	enum reason reason = parse(&packet, frame);

	if (reason == REASON_NONE && !transport_is_there(&packet, frame))
		fail_msg("%s, cut to %zu: believed", row->name, length);
	if (length < 14 && reason != REASON_malformed)
		fail_msg("%s, cut to %zu: reason %d", row->name, length,
			 reason);
	if (packet.has_destination !=
	    (!row->no_destination && length >= 14 + header))
		fail_msg("%s, cut to %zu: has_destination", row->name, length);
	frame_free(frame);
}

static void every_truncation(void **unused)
{
	size_t i, length;

	(void)unused;
	for (i = 0; i < ROWS; i++)
		for (length = 0; length < rows[i].length; length++)
			check_truncated(&rows[i], length);
}

/* Any one byte of a frame of the table, changed to anything, at any length. */
static void every_byte_changed(void **unused)
{
	uint64_t state = 1;
	size_t i, at;
	int value;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		for (at = 0; at < rows[i].length; at++) {
			size_t length = 1 + draw_below(&state, rows[i].length);
			struct frame frame = frame_copy(rows[i].bytes, length);
			struct packet packet;

			for (value = 0; value < 256 && at < length; value++) {
				frame.bytes[at] = value;
				if (parse(&packet, frame) == REASON_NONE)
					assert_true(transport_is_there(&packet,
								       frame));
			}
			frame_free(frame);
		}
	}
}

/* The frame with these tags in it, read; pointers and tags then as without. */
static enum reason parse_tagged(struct packet *packet, const struct row *row,
				const uint8_t *tags, size_t size,
				struct vlan vlan)
{
	uint8_t bytes[512];
	struct frame frame;
	enum reason reason;

	memcpy(bytes, row->bytes, 12);
	memcpy(bytes + 12, tags, size);
	memcpy(bytes + 12 + size, row->bytes + 12, row->length - 12);
	frame = frame_copy(bytes, row->length + size);
	reason = parse(packet, frame);
	assert_memory_equal(frame.bytes, bytes, frame.length);
	if (packet->has_destination) {
		assert_int_equal(packet->l3_offset, 14 + size);
		assert_ptr_equal(packet->l3, frame.bytes + 14 + size);
		assert_int_equal(packet->vlan.outer, vlan.outer);
		assert_int_equal(packet->vlan.inner, vlan.inner);
		packet->l3_offset = 14;
		packet->eth = packet->l3 = packet->l4 = packet->end = NULL;
		memset(&packet->vlan, 0, sizeof(packet->vlan));
	}
	frame_free(frame);
	return reason;
}

/* What every frame of the table is, it is with one tag and with two. */
static void tags_are_walked(void **unused)
{
	static const uint8_t one[] = {0x81, 0, 0xf0, 5};
	static const uint8_t two[] = {0x88, 0xa8, 0x2f, 0xff, 0x81, 0, 0, 0};
	static const uint8_t three[] = {0x81, 0, 0,    1, 0x81, 0,
					0,    2, 0x81, 0, 0,	3};
	struct packet bare, tagged;
	enum reason reason;
	size_t i;

	(void)unused;
	for (i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct frame frame = frame_copy(row->bytes, row->length);

		if (strstr(row->name, "vlan")) {
			frame_free(frame);
			continue;
		}
		reason = parse(&bare, frame);
		frame_free(frame);
		bare.eth = bare.l3 = bare.l4 = bare.end = NULL;
		assert_int_equal(parse_tagged(&tagged, row, one, sizeof(one),
					      (struct vlan){0x8005, 0}),
				 reason);
		if (bare.has_destination)
			assert_memory_equal(&bare, &tagged, sizeof(bare));
		assert_int_equal(parse_tagged(&tagged, row, two, sizeof(two),
					      (struct vlan){0xcfff, 0x8000}),
				 reason);
		if (bare.has_destination)
			assert_memory_equal(&bare, &tagged, sizeof(bare));
		assert_int_equal(parse_tagged(&tagged, row, three,
					      sizeof(three),
					      (struct vlan){0, 0}),
				 REASON_vlan_tagged);
		assert_false(tagged.has_destination);
	}
}

/* clang-format off */
#define JUMBO(next, length) \
	next, 0, 0xc2, 4, 0, (length) >> 16, WORD((length) & 0xffff)

/* BIG TCP: a header, and so many bytes of IP in the frame. */
static const struct {
	struct row row;
	size_t there;
} big[] = {
	{{"IPv4", BYTES(IPV4(5, 0, 0, TCP), TCP_HEADER(5, ACK)),
	  REASON_NONE, TCP}, 65536},
	{{"IPv4, don't fragment", BYTES(IPV4(5, 0, 0x4000, TCP),
					TCP_HEADER(5, ACK)),
	  REASON_NONE, TCP}, 90000},
	{{"IPv4 that its length could say",
	  BYTES(IPV4(5, 0, 0, TCP), TCP_HEADER(5, ACK)),
	  REASON_malformed}, 65535},
	{{"IPv4, UDP", BYTES(IPV4(5, 0, 0, UDP), UDP_HEADER(8)),
	  REASON_malformed}, 65536},
	{{"IPv4, a fragment", BYTES(IPV4(5, 0, 0x2000, TCP),
				    TCP_HEADER(5, ACK)),
	  REASON_malformed}, 65536},
	{{"IPv4, its header too short", BYTES(IPV4(4, 0, 0, TCP),
					      TCP_HEADER(5, ACK)),
	  REASON_malformed}, 65536},
	{{"IPv4 that says 1", BYTES(IPV4(5, 1, 0, TCP), TCP_HEADER(5, ACK)),
	  REASON_malformed}, 65536},
	{{"IPv6", BYTES(IPV6(0, HOP_BY_HOP), JUMBO(TCP, 65536),
			TCP_HEADER(5, ACK)),
	  REASON_NONE, TCP}, 65576},
	{{"IPv6 that its length could say",
	  BYTES(IPV6(0, HOP_BY_HOP), JUMBO(TCP, 65495), TCP_HEADER(5, ACK)),
	  REASON_malformed}, 65535},
	{{"IPv6, UDP", BYTES(IPV6(0, HOP_BY_HOP), JUMBO(UDP, 65536),
			     UDP_HEADER(8)),
	  REASON_malformed}, 65576},
};
/* clang-format on */

static void big_tcp(void **unused)
{
	struct packet packet;
	enum reason reason;
	struct frame frame;
	uint8_t *bytes;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(big) / sizeof(*big); i++) {
		bytes = calloc(1, 14 + big[i].there);
		assert_non_null(bytes);
		memcpy(bytes, big[i].row.bytes, big[i].row.length);
		frame = frame_copy(bytes, 14 + big[i].there);
		reason = parse(&packet, frame);
		if (reason != big[i].row.reason)
			fail_msg("%s: reason %d", big[i].row.name, reason);
		if (reason == REASON_NONE) {
			check_understood(&packet, &big[i].row, frame);
			assert_int_equal(packet.length, big[i].there);
		}
		check_plain(&packet, REASON_malformed, &big[i].row, frame);
		frame_free(frame);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_the_table),
		cmocka_unit_test(big_tcp),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_byte_changed),
		cmocka_unit_test(tags_are_walked),
	};

	return RUN("packet", tests);
}
