// SPDX-License-Identifier: GPL-2.0-only
/*
 * A translated flow: what begins, lengthens, shortens and ends it, and when its
 * port is another's.
 */
#include <string.h>

#include "common/core/nat.h"
#include "tests/unit/unit.h"

static const struct nat_times times = {.second = 100, .udp_idle = 6000};

static __u8 after(__u8 phase, int is_reply, __u8 flags)
{
	struct packet packet = {.protocol = IPPROTO_TCP, .flags = flags};

	return nat_next(phase, is_reply, &packet);
}

static void tcp_by_its_packets(void **unused)
{
	enum { CLIENT, BACKEND };
	const __u8 established = NAT_OPEN | NAT_REPLIED | NAT_ESTABLISHED;
	const __u8 closed = established | NAT_CLOSED;
	static const char *const sides[] = {"client", "backend"};
	const struct {
		const char *name;
		__u8 before, side, flags, after;
	} rows[] = {
		{"SYN again", NAT_OPEN, CLIENT, PACKET_SYN, NAT_OPEN},
		{"SYN-ACK", NAT_OPEN, BACKEND, 0, NAT_OPEN | NAT_REPLIED},
		{"ACK of nothing", NAT_OPEN, CLIENT, 0, NAT_OPEN},
		{"ACK", NAT_OPEN | NAT_REPLIED, CLIENT, 0, established},
		{"SYN after the SYN-ACK", NAT_OPEN | NAT_REPLIED, CLIENT,
		 PACKET_SYN, NAT_OPEN | NAT_REPLIED},
		{"FIN", established, CLIENT, PACKET_FIN,
		 established | NAT_FIN_CLIENT},
		{"FIN", established | NAT_FIN_CLIENT, BACKEND, PACKET_FIN,
		 closed},
		{"its ACK", closed, CLIENT, 0, closed},
		{"SYN of an established flow", established, CLIENT, PACKET_SYN,
		 established},
		{"SYN of a closed flow", closed, CLIENT, PACKET_SYN, NAT_OPEN},
		{"RST", established, CLIENT, PACKET_RST,
		 established | NAT_RESET},
		{"RST", NAT_OPEN, BACKEND, PACKET_RST,
		 NAT_OPEN | NAT_REPLIED | NAT_RESET},
		{"data after a RST", established | NAT_RESET, BACKEND, 0,
		 established},
		{"SYN after a RST", established | NAT_RESET, CLIENT, PACKET_SYN,
		 NAT_OPEN},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (after(rows[i].before, rows[i].side, rows[i].flags) !=
		    rows[i].after)
			fail_msg("%s of the %s: %d", rows[i].name,
				 sides[rows[i].side],
				 after(rows[i].before, rows[i].side,
				       rows[i].flags));
	}
}

static void udp_and_errors(void **unused)
{
	struct packet packet = {.protocol = IPPROTO_UDP, .flags = PACKET_FIN};

	(void)unused;
	assert_int_equal(nat_next(NAT_OPEN, 0, &packet), NAT_OPEN);
	assert_int_equal(nat_next(NAT_OPEN, 1, &packet),
			 NAT_OPEN | NAT_REPLIED);
	packet.protocol = IPPROTO_TCP;
	packet.is_error = 1;
	assert_int_equal(nat_next(NAT_OPEN, 1, &packet), NAT_OPEN);
}

/*
 * The last jiffy of a life, and of the rest. Each also over the end of jiffies.
 */
static void lives_and_rests(void **unused)
{
	static const struct {
		const char *name;
		__u8 phase, protocol;
		__u32 life, rest;
	} rows[] = {
		{"no answer", NAT_OPEN, IPPROTO_TCP, 2000, 6000},
		{"half open", NAT_OPEN | NAT_REPLIED, IPPROTO_TCP, 2000, 6000},
		{"established", NAT_OPEN | NAT_REPLIED | NAT_ESTABLISHED,
		 IPPROTO_TCP, 744000, 6000},
		{"half closed",
		 NAT_OPEN | NAT_REPLIED | NAT_ESTABLISHED | NAT_FIN_BACKEND,
		 IPPROTO_TCP, 744000, 6000},
		{"closed", NAT_OPEN | NAT_ESTABLISHED | NAT_CLOSED, IPPROTO_TCP,
		 6000, 0},
		{"reset", NAT_OPEN | NAT_ESTABLISHED | NAT_RESET, IPPROTO_TCP,
		 6000, 0},
		{"UDP", NAT_OPEN, IPPROTO_UDP, 6000, 6000},
		{"UDP, with the marks of a closed flow", NAT_OPEN | NAT_CLOSED,
		 IPPROTO_UDP, 6000, 6000},
	};
	static const __u32 starts[] = {1000000, 0xfffffff0};
	size_t i, s;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (s = 0; s < 2; s++) {
			union nat_state state = {.seen = starts[s],
						 .phase = rows[i].phase,
						 .protocol = rows[i].protocol};
			__u32 end = starts[s] + rows[i].life;
			__u32 rested = end + rows[i].rest;

			if (!nat_lives(state, &times, end) ||
			    nat_lives(state, &times, end + 1) ||
			    nat_is_free(state, &times, rested) ||
			    !nat_is_free(state, &times, rested + 1))
				fail_msg("%s, from %u", rows[i].name,
					 starts[s]);
			/* A CPU whose clock is a tick behind. */
			assert_true(nat_lives(state, &times, starts[s] - 1));
			assert_false(nat_is_free(state, &times, starts[s] - 1));
		}
	}
}

static void taken_or_empty(void **unused)
{
	union nat_state state = {.word = 0};

	(void)unused;
	assert_true(nat_is_free(state, &times, 5));
	assert_false(nat_lives(state, &times, 5));
	state.turn = 7; /* given back */
	assert_true(nat_is_free(state, &times, 5));
	state.phase = NAT_TAKEN;
	assert_false(nat_lives(state, &times, 5));
	assert_false(nat_is_free(state, &times, 6000));
	assert_true(nat_is_free(state, &times, 6001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_by_its_packets),
		cmocka_unit_test(udp_and_errors),
		cmocka_unit_test(lives_and_rests),
		cmocka_unit_test(taken_or_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
