// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table of frames and what packet_parse() makes of them; and the law that it
 * reads and believes nothing beyond a frame's end, however short the frame is.
 */
#include "tests/unit/packet_rows.h"

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
		return true; /* passed up, like any foreign protocol */
	if (packet->flags & PACKET_LATER) /* it claims no header */
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

/*
 * Any single byte of a frame in the table, changed to any value, at any length.
 */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_of_the_table),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_byte_changed),
	};

	return RUN("packet", tests);
}
