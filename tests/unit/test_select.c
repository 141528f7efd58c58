// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules of select.h, each case written down: which packets of a flow follow
 * its memory, when a memory has expired, what is remembered.
 */
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/select.h"
#include "tests/unit/unit.h"

enum { NO, YES };

static const struct packet syn = {.protocol = IPPROTO_TCP, .flags = PACKET_SYN};
static const struct packet ack = {.protocol = IPPROTO_TCP};
static const struct packet rst = {.protocol = IPPROTO_TCP, .flags = PACKET_RST};
static const struct packet syn_rst = {.protocol = IPPROTO_TCP,
				      .flags = PACKET_SYN | PACKET_RST};
static const struct packet udp = {.protocol = IPPROTO_UDP};

static void follows_its_memory(void **unused)
{
	static const struct {
		__u8 state;
		int syn, other;
	} rows[] = {
		{BACKEND_ABSENT, NO, NO},    {BACKEND_ACTIVE, YES, YES},
		{BACKEND_DRAINING, NO, YES}, {BACKEND_DOWN, NO, NO},
		{BACKEND_REMOVING, NO, YES},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		__u8 state = rows[i].state;

		assert_int_equal(!!select_follows(&syn, state), rows[i].syn);
		assert_int_equal(!!select_follows(&syn_rst, state),
				 rows[i].syn);
		assert_int_equal(!!select_follows(&ack, state), rows[i].other);
		assert_int_equal(!!select_follows(&rst, state), rows[i].other);
		assert_int_equal(!!select_follows(&udp, state), rows[i].other);
	}
}

static void expires_when_idle(void **unused)
{
	static const struct {
		__u32 seen, now;
		__u64 idle;
		int expired;
	} rows[] = {
		{1000, 1000, 60, NO},
		{1000, 1060, 60, NO},
		{1000, 1061, 60, YES},
		{0xffffffff, 0, 60, NO}, /* jiffies wrap after 49 days */
		{0xfffffff0, 44, 60, NO},
		{0xfffffff0, 45, 60, YES},
		{1001, 1000, 0, NO}, /* seen one tick ahead of now */
		{0, 0xffffffff, 60, NO},
		{0, 1u << 31, 60, YES},
		{0, (1u << 31) + 1, 60, YES},
		{0, 0xfeffffff, 0xfeffffff, NO},
		{0, 0xffffffff, 1ULL << 32, NO},
		{5, 5, 0, NO},
		{5, 6, 0, YES},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(!!select_expired(&udp, rows[i].seen,
						  rows[i].now, rows[i].idle),
				 rows[i].expired);
		assert_false(select_expired(&ack, rows[i].seen, rows[i].now,
					    rows[i].idle));
		assert_false(select_expired(&syn, rows[i].seen, rows[i].now,
					    rows[i].idle));
	}
}

static void generation_before_asked(void **unused)
{
	(void)unused;
	assert_true(select_asks_previous(&syn));
	assert_true(select_asks_previous(&ack));
	assert_true(select_asks_previous(&rst));
	assert_false(select_asks_previous(&udp));
}

/* A flow is remembered at its second packet; one packet proves nothing. */
static void kept(void **unused)
{
	static const struct packet error = {.protocol = IPPROTO_TCP,
					    .is_error = 1};
	static const struct {
		const struct packet *packet;
		enum keep first, second, first_differs, lives;
	} rows[] = {
		{&syn, KEEP_NOTE, KEEP_NOTE, KEEP_WAY, KEEP_NOTE},
		{&ack, KEEP_NOTE, KEEP_FLOW, KEEP_NOTE, KEEP_FLOW},
		{&rst, KEEP_NOTHING, KEEP_NOTHING, KEEP_NOTHING, KEEP_NOTHING},
		{&syn_rst, KEEP_NOTHING, KEEP_NOTHING, KEEP_NOTHING,
		 KEEP_NOTHING},
		{&udp, KEEP_NOTE, KEEP_FLOW, KEEP_NOTE, KEEP_FLOW},
		{&error, KEEP_NOTHING, KEEP_NOTHING, KEEP_NOTHING,
		 KEEP_NOTHING},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(select_keeps(rows[i].packet, 0, 0, 0),
				 rows[i].first);
		assert_int_equal(select_keeps(rows[i].packet, 1, 0, 0),
				 rows[i].second);
		assert_int_equal(select_keeps(rows[i].packet, 0, 1, 0),
				 rows[i].first_differs);
		assert_int_equal(select_keeps(rows[i].packet, 1, 1, 1),
				 rows[i].lives);
	}
	assert_int_equal(select_begins(&syn, FLOW_BEGINS), FLOW_BEGINS);
	assert_int_equal(select_begins(&rst, FLOW_BEGINS), FLOW_BEGINS);
	assert_int_equal(select_begins(&error, FLOW_BEGINS), FLOW_BEGINS);
	assert_int_equal(select_begins(&ack, FLOW_BEGINS), 0);
	assert_int_equal(select_begins(&ack, 0), 0);
}

/* Only the packet behind a SYN matches the SYN's note. */
static void answers_its_syn(void **unused)
{
	static const struct {
		__u32 syn, payload, next;
		int plain, fast;
	} rows[] = {
		{1000, 0, 1001, YES, YES},
		{1000, 0, 1000, NO, NO},
		{1000, 0, 1002, NO, NO},
		{1000, 100, 1001, YES, NO},
		{1000, 100, 1101, NO, YES},
		{1000, 100, 1100, NO, NO},
		{0xffffffff, 0, 0, YES, YES},
		{0xffffffff, 5, 5, NO, YES},
		{0xffffffff, 0, 256, NO, NO},
		{0x01000000, 0, 2, NO, NO},
		{0x7fffffff, 0, 1u << 31, YES, YES},
	};
	struct packet first = syn, next = ack, other;
	__u64 hash = 0x123456789abcdefULL;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		first.sequence = bpf_htonl(rows[i].syn);
		first.payload = rows[i].payload;
		next.sequence = bpf_htonl(rows[i].next);
		assert_int_equal(select_syn_name(&first, hash) ==
					 select_syn_name(&next, hash),
				 rows[i].plain);
		assert_int_equal(select_syn_name_fast(&first, hash) ==
					 select_syn_name(&next, hash),
				 rows[i].fast);
		assert_true(select_syn_name(&next, hash) !=
			    select_syn_name(&next, hash + 2));
	}
	assert_true(select_may_answer(&ack));
	assert_true(select_may_answer(&rst));
	assert_false(select_may_answer(&syn));
	assert_false(select_may_answer(&udp));
	other = ack;
	other.is_error = 1; /* its sequence number is the quoted packet's */
	assert_false(select_may_answer(&other));
	other = ack;
	other.flags = PACKET_LATER; /* has none */
	assert_false(select_may_answer(&other));
}

/* What the client's packets say about the flow's end, one after the other. */
static void ends(void **unused)
{
	static const struct {
		__u8 flags;
		__u32 from_open, from_ended;
	} rows[] = {
		{0, 0, FLOW_ENDS}, /* an ACK says nothing about it */
		{PACKET_FIN, FLOW_ENDS, FLOW_ENDS},
		{PACKET_FIN | PACKET_PUSH, FLOW_ENDS, FLOW_ENDS},
		{PACKET_RST, FLOW_ENDS, FLOW_ENDS},
		{PACKET_PUSH, 0, 0},
		{PACKET_SYN, 0, 0},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct packet packet = {.protocol = IPPROTO_TCP,
					      .flags = rows[i].flags};

		assert_int_equal(select_end(&packet, 0), rows[i].from_open);
		assert_int_equal(select_end(&packet, FLOW_ENDS),
				 rows[i].from_ended);
		assert_int_equal(!!select_ends(&packet),
				 !!(rows[i].flags & (PACKET_FIN | PACKET_RST)));
	}
}

/* By the table alone: a SYN, if the scheduler is a function of the flow. */
static void simple(void **unused)
{
	(void)unused;
	assert_true(select_is_simple(&syn, SCHEDULER_MAGLEV));
	assert_true(select_is_simple(&syn, SCHEDULER_SOURCE_HASH));
	assert_false(select_is_simple(&syn, SCHEDULER_RANDOM));
	assert_false(select_is_simple(&syn, SCHEDULER_ROUND_ROBIN));
	assert_false(select_is_simple(&ack, SCHEDULER_MAGLEV));
	assert_false(select_is_simple(&syn_rst, SCHEDULER_MAGLEV));
	assert_false(select_is_simple(&udp, SCHEDULER_SOURCE_HASH));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_its_memory),
		cmocka_unit_test(expires_when_idle),
		cmocka_unit_test(generation_before_asked),
		cmocka_unit_test(kept),
		cmocka_unit_test(simple),
		cmocka_unit_test(answers_its_syn),
		cmocka_unit_test(ends),
	};

	return RUN("select", tests);
}
