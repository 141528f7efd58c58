// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laws over random packets of both families: a mark touches the mark alone; a
 * checksum that is updated is the true one; what is put in front of a packet
 * is read as the RFCs say and the packet inside is found as it was.
 */
#include "common/core/abi_services.h"
#include "common/core/rewrite.h"
#include "common/core/tunnel.h"
#include "tests/unit/frame.h"

#define PACKETS draws(100000)

static struct packet parse(struct frame frame)
{
	struct packet packet;

	assert_int_equal(
		packet_parse(&packet, frame.bytes, frame.bytes + frame.length),
		REASON_NONE);
	return packet;
}

static uint8_t tos_of(const uint8_t *ip)
{
	return ip[0] >> 4 == 4 ? ip[1] : ip[0] << 4 | ip[1] >> 4;
}

static void marked(void **unused)
{
	uint64_t state = 11;

	(void)unused;
	for (int i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame frame = random.frame;
		struct frame was = frame_copy(frame.bytes, frame.length);
		struct packet packet = parse(frame);
		uint8_t *ip = frame.bytes + 14, dscp = draw_below(&state, 64);

		assert_int_equal(dscp_get(&packet), tos_of(ip) >> 2);
		dscp_set(&packet, dscp);
		assert_int_equal(tos_of(ip) >> 2, dscp);
		assert_int_equal(tos_of(ip) & 3, tos_of(was.bytes + 14) & 3);
		if (!random.is_ipv6)
			assert_true(ipv4_checksum_is_true(ip));
		dscp_set(&packet, tos_of(was.bytes + 14) >> 2);
		assert_memory_equal(frame.bytes, was.bytes, frame.length);
		frame_free(was);
		frame_free(frame);
	}
}

/* The sum of everything that TCP's or UDP's checksum covers. */
static uint16_t covered(const struct random_frame *random)
{
	const uint8_t *ip = random->frame.bytes + 14;
	size_t length = random->frame.length - random->l4;
	uint8_t tail[4] = {0, random->protocol, length >> 8, length};
	uint16_t sum;

	sum = random->is_ipv6
		      ? sum_of_pseudo_header(ip, random->protocol, length)
		      : sum_of(tail, 4, sum_of(ip + 12, 8, 0));
	return sum_of(random->frame.bytes + random->l4, length, sum);
}

static void updated(void **unused)
{
	uint64_t state = 12;
	int seen = 0, none = 0;

	(void)unused;
	for (int i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame frame = random.frame;
		uint8_t *field = frame.bytes + random.l4 +
				 (random.protocol == TCP ? 16 : 6);
		struct packet packet = parse(frame);
		struct addr backend;

		if (random.protocol != TCP && random.protocol != UDP) {
			frame_free(frame);
			continue;
		}
		put_word(field, 0);
		if (random.protocol == TCP || draw_below(&state, 4)) {
			put_word(field, ~covered(&random));
			if (random.protocol == UDP && !(field[0] | field[1]))
				put_word(field, 0xffff);
			seen++;
		} else {
			none++;
		}
		backend = packet.destination;
		draw_bytes(&state, (uint8_t *)&backend.w[3], 4);
		if (random.is_ipv6)
			draw_bytes(&state, (uint8_t *)&backend, 12);
		rewrite_checksum(&packet, &packet.destination, &backend);
		rewrite_destination(&packet, &backend);
		if (random.protocol == UDP && !(field[0] | field[1]))
			none--; /* only if there was none before */
		else
			assert_int_equal(covered(&random), 0xffff);
		frame_free(frame);
	}
	assert_int_equal(none, 0);
	assert_true(seen > PACKETS / 4);
}

static void error_updated(void **unused)
{
	uint64_t state = 13;

	(void)unused;
	for (int i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame frame = random.frame;
		struct frame was = frame_copy(frame.bytes, frame.length);
		struct packet packet = parse(frame);
		size_t length = frame.length - random.l4;
		struct addr to;

		draw_bytes(&state, (uint8_t *)&to, sizeof(to));
		if (random.protocol == ICMP || random.protocol == ICMPV6) {
			packet.is_error = 1;
			packet.protocol = UDP; /* of the quoted packet */
			rewrite_checksum(&packet, &packet.destination, &to);
			rewrite_destination(&packet, &to);
			if (!random.is_ipv6) /* no addresses in the sum */
				assert_memory_equal(frame.bytes + random.l4,
						    was.bytes + random.l4,
						    length);
			else
				assert_int_equal(
					sum_of(frame.bytes + random.l4, length,
					       sum_of_pseudo_header(
						       frame.bytes + 14, ICMPV6,
						       length)),
					0xffff);
		}
		frame_free(was);
		frame_free(frame);
	}
}

struct ends {
	uint8_t source[16], to[16];
};

static void check_outer_v4(const uint8_t *ip, const struct random_frame *random,
			   const uint8_t *inner, const struct ends *ends,
			   uint32_t mark)
{
	size_t length = random->frame.length - 14;

	assert_int_equal(ip[0], 0x45);
	assert_int_equal(ip[1], tos_of(inner));
	assert_int_equal(ip[2] << 8 | ip[3], length + 20);
	assert_int_equal(ip[4] << 8 | ip[5], mark);
	assert_int_equal(ip[6] << 8 | ip[7], 0x4000);
	assert_int_equal(ip[8], 64);
	assert_int_equal(ip[9], random->is_ipv6 ? 41 : 4);
	assert_true(ipv4_checksum_is_true(ip));
	assert_memory_equal(ip + 12, ends->source + 12, 4);
	assert_memory_equal(ip + 16, ends->to + 12, 4);
}

static void check_outer_v6(const uint8_t *ip, const struct random_frame *random,
			   const uint8_t *inner, const struct ends *ends,
			   uint32_t mark)
{
	size_t length = random->frame.length - 14;

	assert_int_equal((ip[1] & 0xf) << 16 | ip[2] << 8 | ip[3], mark);
	assert_int_equal(ip[0] >> 4, 6);
	assert_int_equal(tos_of(ip), tos_of(inner));
	assert_int_equal(ip[4] << 8 | ip[5], length);
	assert_int_equal(ip[6], random->is_ipv6 ? 41 : 4);
	assert_int_equal(ip[7], 64);
	assert_memory_equal(ip + 8, ends->source, 16);
	assert_memory_equal(ip + 24, ends->to, 16);
}

/* As xdp_bkd finds the packet. */
static void check_inside(struct frame frame, const struct random_frame *random,
			 size_t overhead)
{
	struct packet was = parse(random->frame), outer, inner;
	uint8_t *end = frame.bytes + frame.length;

	assert_int_equal(packet_parse(&outer, frame.bytes, end), REASON_NONE);
	assert_true(tunnel_is(&outer));
	assert_int_equal(tunnel_inner(&inner, &outer, frame.bytes, end),
			 REASON_NONE);
	assert_int_equal(packet_parse_above(&inner, end), REASON_NONE);
	assert_int_equal(inner.l3_offset, 14 + overhead);
	assert_ptr_equal(inner.l3, frame.bytes + 14 + overhead);
	assert_memory_equal(&inner.source, &was.source,
			    offsetof(struct packet, quoted) -
				    offsetof(struct packet, source));
	assert_int_equal(inner.protocol, was.protocol);
	assert_int_equal(inner.port, was.port);
	assert_int_equal(inner.source_port, was.source_port);
	assert_int_equal(inner.length, was.length);
	assert_int_equal(inner.l4_offset, was.l4_offset);
	assert_int_equal(inner.is_ipv6, was.is_ipv6);
}

static struct ends draw_ends(uint64_t *state, bool is_ipv6)
{
	struct ends ends = {{[10] = 0xff, 0xff}, {[10] = 0xff, 0xff}};

	draw_bytes(state, ends.source + 12, 4);
	draw_bytes(state, ends.to + 12, 4);
	if (is_ipv6) {
		draw_bytes(state, ends.source, 12);
		draw_bytes(state, ends.to, 10);
		ends.to[0] = 0x20;
	}
	return ends;
}

static void tunnelled(void **unused)
{
	const struct method method = {.forward = FORWARD_ipip};
	uint64_t state = 14;

	(void)unused;
	for (int i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame was = random.frame, frame;
		struct packet packet = parse(was);
		size_t overhead = draw(&state) & 1 ? 40 : 20;
		struct ends ends = draw_ends(&state, overhead == 40);
		struct addr source, to;
		struct outer outer;
		uint8_t large[600] = {0};

		memcpy(&source, ends.source, 16);
		memcpy(&to, ends.to, 16);
		assert_int_equal(method_overhead(&method, &to), overhead);
		memcpy(large, was.bytes, 12);
		memcpy(large + 14 + overhead, was.bytes + 14, was.length - 14);
		put_word(large + 12, overhead == 40 ? 0x86dd : 0x0800);
		frame = frame_copy(large, was.length + overhead);
		tunnel_outer(&outer, &packet);
		assert_int_equal(outer.mark, 0);
		outer.mark =
			draw(&state) & (overhead == 40 ? MARK_V6 : MARK_V4);
		if (overhead == 40) {
			tunnel_put_v6((void *)(frame.bytes + 14), &outer,
				      &source, &to);
			check_outer_v6(frame.bytes + 14, &random,
				       was.bytes + 14, &ends, outer.mark);
		} else {
			tunnel_put_v4((void *)(frame.bytes + 14), &outer,
				      &source, &to);
			check_outer_v4(frame.bytes + 14, &random,
				       was.bytes + 14, &ends, outer.mark);
		}
		assert_memory_equal(frame.bytes + 14 + overhead, was.bytes + 14,
				    was.length - 14);
		check_inside(frame, &random, overhead);
		frame_free(frame);
		frame_free(was);
	}
}

/* RFC 6040, figure 4; rows: inside, columns: outside; -1: dropped. */
static void congestion(void **unused)
{
	enum { NOT, ECT1, ECT0, CE };
	static const int becomes[4][4] = {
		[NOT] = {NOT, NOT, NOT, -1},
		[ECT1] = {ECT1, ECT1, ECT1, CE},
		[ECT0] = {ECT0, ECT1, ECT0, CE},
		[CE] = {CE, CE, CE, CE},
	};

	(void)unused;
	for (int inner = 0; inner < 256; inner++)
		for (int outer = 0; outer < 256; outer++)
			assert_int_equal(tunnel_ecn(inner, outer),
					 becomes[inner & 3][outer & 3]);
}

/* The whole prefix stays; below it, each address is equally likely. */
static void sources(void **unused)
{
	const struct addr own = {{1, 2, 3, 4}};
	uint64_t state = 15;

	(void)unused;
	for (unsigned int bits = 0; bits <= 128; bits++) {
		struct prefix prefix = {.bits = bits};
		uint8_t ones[16] = {0}, zeros[16] = {0};
		struct addr got;

		draw_bytes(&state, (uint8_t *)&prefix.address, 16);
		for (unsigned int bit = bits; bit < 128; bit++)
			((uint8_t *)&prefix.address)[bit / 8] &=
				~(0x80 >> bit % 8);
		for (int i = 0; i < 400; i++) {
			tunnel_source(&got, &prefix, &own, draw(&state));
			for (int byte = 0; byte < 16; byte++) {
				uint8_t value = ((uint8_t *)&got)[byte];

				ones[byte] |= value;
				zeros[byte] |= ~value;
			}
			if (!bits)
				assert_memory_equal(&got, &own, 16);
		}
		for (unsigned int bit = 0; bits && bit < 128; bit++) {
			uint8_t mask = 0x80 >> bit % 8;
			bool one = ones[bit / 8] & mask;
			bool zero = zeros[bit / 8] & mask;
			bool want =
				((uint8_t *)&prefix.address)[bit / 8] & mask;

			assert_int_equal(one, bit >= bits || want);
			assert_int_equal(zero, bit >= bits || !want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked),	 cmocka_unit_test(updated),
		cmocka_unit_test(error_updated), cmocka_unit_test(tunnelled),
		cmocka_unit_test(congestion),	 cmocka_unit_test(sources),
	};

	return RUN("tunnel", tests);
}
