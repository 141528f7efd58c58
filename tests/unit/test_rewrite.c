// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laws over random packets of both families, with options and extension
 * headers: what the load balancer writes, the backend takes back; nothing
 * else changes; every checksum that was true stays true.
 */
#include "common/core/echo.h"
#include "common/core/packet_parse.h"
#include "tests/unit/frame.h"

#define PACKETS draws(200000)

static struct packet parse(struct frame frame)
{
	struct packet packet;

	assert_int_equal(
		packet_parse(&packet, frame.bytes, frame.bytes + frame.length),
		REASON_NONE);
	return packet;
}

/* `now` may differ from `before` only in bytes [from, to) and in `also`. */
static void check_same_but(struct frame now, struct frame before, size_t from,
			   size_t to, size_t also)
{
	size_t i;

	for (i = 0; i < now.length; i++) {
		if ((i >= from && i < to) || i == also)
			continue;
		/* The IPv4 header's own checksum has a test of its own. */
		if (!now.bytes[13] && (i == 14 + 10 || i == 14 + 11))
			continue;
		if (now.bytes[i] != before.bytes[i])
			fail_msg("byte %zu changed", i);
	}
}

static void check_ipv4(struct frame frame, bool is_ipv6)
{
	if (!is_ipv6)
		assert_true(ipv4_checksum_is_true(frame.bytes + 14));
}

static void rewritten_and_restored(void **unused)
{
	uint64_t state = 1;
	int i;

	(void)unused;
	for (i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame frame = random.frame;
		struct frame before = frame_copy(frame.bytes, frame.length);
		size_t at = 14 + (random.is_ipv6 ? 24 : 16);
		size_t size = random.is_ipv6 ? 16 : 4;
		size_t ttl = 14 + (random.is_ipv6 ? 7 : 8);
		struct packet packet = parse(frame);
		struct addr vip = packet.destination, backend;
		struct frame hop = frame_copy(frame.bytes, frame.length);
		struct packet both = parse(hop);

		draw_bytes(&state, (uint8_t *)&backend, sizeof(backend));
		rewrite_hop(&both, &backend);
		rewrite_destination(&packet, &backend);
		check_ipv4(frame, random.is_ipv6);
		assert_memory_equal(frame.bytes + at,
				    (uint8_t *)&backend + 16 - size, size);
		check_same_but(frame, before, at, at + size, 0);
		rewrite_ttl(&packet, packet.ttl - 1);
		check_ipv4(frame, random.is_ipv6);
		assert_int_equal(frame.bytes[ttl],
				 (uint8_t)(before.bytes[ttl] - 1));
		check_same_but(frame, before, at, at + size, ttl);
		if (before.bytes[ttl])
			assert_memory_equal(hop.bytes, frame.bytes,
					    frame.length);

		packet = parse(frame);
		rewrite_destination(&packet, &vip);
		check_ipv4(frame, random.is_ipv6);
		check_same_but(frame, before, 0, 0, ttl);
		rewrite_ttl(&packet, before.bytes[ttl]);
		assert_memory_equal(frame.bytes, before.bytes, frame.length);
		frame_free(hop);
		frame_free(before);
		frame_free(frame);
	}
}

static void macs_written(void **unused)
{
	static const uint8_t to[] = {2, 0, 0, 0, 0, 1};
	static const uint8_t from[] = {2, 0, 0, 0, 0, 2};
	uint64_t state = 2;
	struct frame frame = draw_frame(&state).frame;
	struct frame before = frame_copy(frame.bytes, frame.length);
	struct packet packet = parse(frame);

	(void)unused;
	rewrite_macs(&packet, to, from);
	assert_memory_equal(frame.bytes, to, 6);
	assert_memory_equal(frame.bytes + 6, from, 6);
	assert_memory_equal(frame.bytes + 12, before.bytes + 12,
			    frame.length - 12);
	frame_free(before);
	frame_free(frame);
}

/* One's complement has two zeros; to a receiver they are equal. */
static void check_icmp(const struct random_frame *random, struct frame frame)
{
	const uint8_t *l4 = frame.bytes + random->l4;
	size_t length = frame.length - random->l4;
	uint16_t sum = 0;

	if (random->is_ipv6)
		sum = sum_of_pseudo_header(frame.bytes + 14, ICMPV6, length);
	assert_int_equal(sum_of(l4, length, sum), 0xffff);
}

static void check_reply(const struct random_frame *random, struct frame before)
{
	struct frame frame = random->frame;
	size_t size = random->is_ipv6 ? 16 : 4;
	size_t source = 14 + (random->is_ipv6 ? 8 : 12);

	check_ipv4(frame, random->is_ipv6);
	check_icmp(random, frame);
	assert_memory_equal(frame.bytes, before.bytes + 6, 6);
	assert_memory_equal(frame.bytes + 6, before.bytes, 6);
	assert_memory_equal(frame.bytes + source, before.bytes + source + size,
			    size);
	assert_memory_equal(frame.bytes + source + size, before.bytes + source,
			    size);
	assert_int_equal(frame.bytes[14 + (random->is_ipv6 ? 7 : 8)], 64);
	assert_int_equal(frame.bytes[random->l4], random->is_ipv6 ? 129 : 0);
	assert_int_equal(frame.bytes[random->l4 + 1], 0);
	assert_memory_equal(frame.bytes + random->l4 + 4,
			    before.bytes + random->l4 + 4,
			    frame.length - random->l4 - 4);
	/* Between addresses and ICMP: options, extension headers. */
	assert_memory_equal(frame.bytes + source + 2 * size,
			    before.bytes + source + 2 * size,
			    random->l4 - source - 2 * size);
}

static void echo_answered(void **unused)
{
	uint64_t state = 3;
	int i, answered = 0;

	(void)unused;
	for (i = 0; i < PACKETS; i++) {
		struct random_frame random = draw_frame(&state);
		struct frame before =
			frame_copy(random.frame.bytes, random.frame.length);
		struct packet packet = parse(random.frame);

		assert_int_equal(packet.is_echo,
				 random.protocol == ICMP ||
					 random.protocol == ICMPV6);
		if (packet.is_echo) {
			check_icmp(&random, before);
			echo_reply(&packet);
			check_reply(&random, before);
			answered++;
		}
		frame_free(before);
		frame_free(random.frame);
	}
	assert_true(answered > PACKETS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rewritten_and_restored),
		cmocka_unit_test(macs_written),
		cmocka_unit_test(echo_answered),
	};

	return RUN("rewrite", tests);
}
