// SPDX-License-Identifier: GPL-2.0-only
/* Frames with tags, and BIG TCP: what packet_parse() makes of them. */
#include "tests/unit/packet_rows.h"

/* Read the frame with these tags in it; pointers and tags as without them. */
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

/* Every frame of the table is read the same way with one tag and with two. */
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

/* BIG TCP: a header, and this many bytes of IP in the frame. */
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
	{{"IPv6 without the option", BYTES(IPV6(0, TCP), TCP_HEADER(5, ACK)),
	  REASON_NONE, TCP}, 65576},
	{{"IPv6 without the option, that its length could say",
	  BYTES(IPV6(0, TCP), TCP_HEADER(5, ACK)), REASON_malformed}, 65535},
	{{"IPv6 without the option, UDP", BYTES(IPV6(0, UDP), UDP_HEADER(8)),
	  REASON_malformed}, 65576},
	{{"IPv6 that says 1", BYTES(IPV6(1, TCP), TCP_HEADER(5, ACK)),
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
		cmocka_unit_test(tags_are_walked),
		cmocka_unit_test(big_tcp),
	};

	return RUN("packet, tagged and big", tests);
}
