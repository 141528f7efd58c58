// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laws of the schedulers' slots: inside the table, and a function of what the
 * scheduler looks at, and of nothing else.
 */
#include "common/core/address.h"
#include "common/core/schedule.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define SIZE 65537

static void kinds(void **unused)
{
	(void)unused;
	assert_true(scheduler_is_function(SCHEDULER_MAGLEV));
	assert_false(scheduler_is_function(SCHEDULER_RANDOM));
	assert_false(scheduler_is_function(SCHEDULER_ROUND_ROBIN));
	assert_true(scheduler_is_function(SCHEDULER_SOURCE_HASH));
	/* The numbers are in maps: add a new scheduler at the end, and here. */
	assert_int_equal(SCHEDULER_COUNT, 5);
	assert_int_equal(SCHEDULER_WORKERS, 4);
	assert_int_equal(SCHEDULER_MAGLEV, 0);
	assert_int_equal(SCHEDULER_RANDOM, 1);
	assert_int_equal(SCHEDULER_ROUND_ROBIN, 2);
	assert_int_equal(SCHEDULER_SOURCE_HASH, 3);
	assert_false(scheduler_is_function(SCHEDULER_WORKERS));
	assert_false(scheduler_is_function(SCHEDULER_COUNT));
}

/* A random packet from a client of either family. */
static struct scheduling any(uint64_t *state, struct addr *source)
{
	int i;

	for (i = 0; i < 4; i++)
		source->w[i] = bpf_htonl((__u32)draw(state));
	if (draw(state) & 1)
		addr_set_v4(source, source->w[3]);
	return (struct scheduling){
		.hash = draw(state),
		.source = source,
		.turn = draw(state),
		.cpu = (__u32)draw(state),
		.chance = (__u32)draw(state),
	};
}

static void inside_the_table(void **unused)
{
	static const __u32 sizes[] = {1, 2, 3, 251, 65536, 65537, 131071};
	struct scheduling from;
	struct addr source;
	uint64_t state = 1;
	__u8 scheduler;
	int n;

	(void)unused;
	for (n = 0; n < 10000; n++) {
		__u32 size = sizes[n % (sizeof(sizes) / sizeof(sizes[0]))];

		from = any(&state, &source);
		for (scheduler = 0; scheduler < SCHEDULER_COUNT; scheduler++) {
			assert_true(scheduler_slot(scheduler, &from, size) <
				    size);
			assert_true(scheduler_table_slot(scheduler, &from,
							 size) < size);
		}
	}
}

/* The fields that may change without changing the flow's slot. */
static void looks_at_its_own(void **unused)
{
	struct scheduling from, other;
	struct addr source;
	uint64_t state = 2;
	int n;

	(void)unused;
	for (n = 0; n < 1000; n++) {
		struct addr another;

		from = any(&state, &source);
		other = any(&state, &another);
		other.source = from.source; /* other ports, another service */
		assert_int_equal(scheduler_table_slot(SCHEDULER_SOURCE_HASH,
						      &from, SIZE),
				 scheduler_table_slot(SCHEDULER_SOURCE_HASH,
						      &other, SIZE));
		other = any(&state, &another);
		other.hash = from.hash;
		assert_int_equal(
			scheduler_table_slot(SCHEDULER_MAGLEV, &from, SIZE),
			scheduler_table_slot(SCHEDULER_MAGLEV, &other, SIZE));
		/*
		 * A flow that is not remembered goes by the table, as under
		 * maglev.
		 */
		assert_int_equal(
			scheduler_table_slot(SCHEDULER_MAGLEV, &from, SIZE),
			scheduler_table_slot(SCHEDULER_RANDOM, &other, SIZE));
		assert_int_equal(
			scheduler_table_slot(SCHEDULER_MAGLEV, &from, SIZE),
			scheduler_table_slot(SCHEDULER_ROUND_ROBIN, &other,
					     SIZE));
	}
}

/* Neighbouring clients are not neighbours in the table. */
static void clients_are_spread(void **unused)
{
	__u32 quarter[4] = {0}, together = 0, last = 0, slot, n;
	struct addr source;
	struct scheduling from = {.source = &source};

	(void)unused;
	for (n = 0; n < 4096; n++) {
		addr_set_v4(&source, bpf_htonl(0xac110000 + n));
		slot = scheduler_slot(SCHEDULER_SOURCE_HASH, &from, SIZE);
		quarter[slot * 4 / SIZE]++;
		together += slot == last;
		last = slot;
	}
	for (n = 0; n < 4; n++)
		assert_in_range(quarter[n], 1024 - 120, 1024 + 120);
	assert_in_range(together, 0, 3);
	for (n = 0, together = 0; n < 4096; n++) { /* of IPv6, in one /64 */
		source = (struct addr){
			{bpf_htonl(0x20010db8), 0, 0, bpf_htonl(n)}};
		together += scheduler_slot(SCHEDULER_SOURCE_HASH, &from, SIZE) <
			    SIZE / 2;
	}
	assert_in_range(together, 2048 - 160, 2048 + 160);
}

/* Every slot in turn; each CPU begins at another one. */
static void turns_go_round(void **unused)
{
	struct scheduling from = {.turn = 0};
	__u32 n;

	(void)unused;
	for (n = 0; n < 30; n++) {
		from.turn = n;
		from.cpu = 0;
		assert_int_equal(
			scheduler_slot(SCHEDULER_ROUND_ROBIN, &from, 7), n % 7);
		from.cpu = 3;
		assert_int_equal(
			scheduler_slot(SCHEDULER_ROUND_ROBIN, &from, 7),
			(n + 3) % 7);
	}
	from.cpu = 0;
	from.turn = (1ULL << 32) + 1; /* it does not begin anew there */
	assert_int_equal(scheduler_slot(SCHEDULER_ROUND_ROBIN, &from, 7),
			 ((1ULL << 32) + 1) % 7);
}

static void chance_is_spread(void **unused)
{
	struct scheduling from = {.hash = 0};

	(void)unused;
	assert_int_equal(scheduler_slot(SCHEDULER_RANDOM, &from, SIZE), 0);
	from.chance = 0xffffffff;
	assert_int_equal(scheduler_slot(SCHEDULER_RANDOM, &from, SIZE),
			 SIZE - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(inside_the_table),
		cmocka_unit_test(looks_at_its_own),
		cmocka_unit_test(clients_are_spread),
		cmocka_unit_test(turns_go_round),
		cmocka_unit_test(chance_is_spread),
	};

	return RUN("scheduler", tests);
}
