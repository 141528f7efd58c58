// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laws of the sequence: whole rounds in which each backend has exactly as many
 * turns as its weight, close to its share at any time, and a function of the
 * set of addresses and weights.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"
#include "common/tables/sequence.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define SIZE 65537
#define MANY 1000

static struct table_backend backends[MANY];
static __u16 table[SIZE];
static __u32 slots;

/* Backends 172.19.0.3 and on; each one's index is its number from 0. */
static void pool(size_t count, const __u16 *weights)
{
	size_t i;

	memset(backends, 0, sizeof(backends));
	for (i = 0; i < count; i++) {
		addr_set_v4(&backends[i].address,
			    bpf_htonl((__u32)(0xac130003 + i)));
		backends[i].weight = weights ? weights[i] : 1;
		backends[i].index = i;
	}
}

static void fill(__u32 size, size_t count)
{
	memset(table, 0xff, sizeof(table));
	slots = sequence_slots(size, backends, count);
	assert_in_range(slots, 1, size);
	assert_int_equal(sequence_fill(table, slots, backends, count), 0);
	if (slots < SIZE)
		assert_int_equal(table[slots], 0xffff);
}

static __u32 weights_of(size_t count, const __u16 *weights)
{
	__u32 sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += weights ? weights[i] : 1;
	return sum;
}

/* Exact over the whole table; nowhere one turn or more away from the share. */
static void check_shares(size_t count, const __u16 *weights)
{
	__u32 turns[MANY] = {0}, sum = weights_of(count, weights), n;
	size_t i;

	pool(count, weights);
	fill(SIZE, count);
	assert_true(slots > SIZE / 2);
	for (n = 0; n < slots; n++) {
		assert_true(table[n] < count);
		turns[table[n]]++;
		for (i = 0; i < count; i++) {
			double due = (double)(n + 1) *
				     (weights ? weights[i] : 1) / sum;

			if (turns[i] < due - 1.5 || turns[i] > due + 1.5)
				fail_msg("backend %zu: %u turns of %u, not %g",
					 i, turns[i], n + 1, due);
		}
	}
	for (i = 0; i < count; i++)
		assert_int_equal((__u64)turns[i] * sum,
				 (__u64)slots * (weights ? weights[i] : 1));
}

static void shares_are_exact(void **unused)
{
	(void)unused;
	check_shares(1, NULL);
	check_shares(1, (__u16[]){1000});
	check_shares(2, NULL);
	check_shares(3, NULL);
	check_shares(10, NULL);
	check_shares(100, NULL);
	check_shares(2, (__u16[]){3, 1});
	check_shares(2, (__u16[]){1, 1000});
	check_shares(3, (__u16[]){1000, 999, 1});
	check_shares(5, (__u16[]){50, 7, 1, 13, 29});
	check_shares(7, (__u16[]){5, 1, 1, 5, 1, 1, 1});
}

/* 3:1 is b a a a, not a a a b; 5:1:1 has no five in a row. */
static void turns_are_spread(void **unused)
{
	__u32 n, run = 0, longest = 0;

	(void)unused;
	pool(3, (__u16[]){5, 1, 1});
	fill(7, 3);
	assert_int_equal(slots, 7);
	for (n = 0; n < slots; n++) {
		run = table[n] == 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	assert_in_range(longest, 1, 3);
}

static void only_ratios_count(void **unused)
{
	static __u16 other[SIZE];

	(void)unused;
	pool(3, (__u16[]){1, 2, 3});
	fill(SIZE, 3);
	memcpy(other, table, sizeof(table));
	pool(3, (__u16[]){333, 666, 999});
	fill(SIZE, 3);
	assert_memory_equal(table, other, sizeof(table));
}

static void order_does_not_matter(void **unused)
{
	static const __u16 weights[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
	static __u16 other[SIZE];
	struct table_backend swap;
	uint64_t state = 1;
	int round, i, j;

	(void)unused;
	pool(10, weights);
	fill(SIZE, 10);
	memcpy(other, table, sizeof(table));
	for (round = 0; round < 20; round++) {
		for (i = 9; i > 0; i--) {
			j = draw_below(&state, i + 1);
			swap = backends[i];
			backends[i] = backends[j];
			backends[j] = swap;
		}
		fill(SIZE, 10);
		assert_memory_equal(table, other, sizeof(table));
	}
}

/*
 * No whole round fits: the table has its beginning, and shares are off by less
 * than a slot.
 */
static void cut_short(void **unused)
{
	static __u16 weights[MANY];
	__u32 turns[MANY] = {0}, n;
	size_t i;

	(void)unused;
	for (i = 0; i < MANY; i++)
		weights[i] = i % 2 ? 1000 : 333;
	pool(MANY, weights);
	fill(SIZE, MANY);
	assert_int_equal(slots, SIZE);
	for (n = 0; n < slots; n++)
		turns[table[n]]++;
	for (i = 0; i < MANY; i++) {
		double due = (double)SIZE * weights[i] / (MANY / 2 * 1333);

		assert_true(turns[i] > due - 1 && turns[i] < due + 1);
	}
	fill(251, MANY); /* fewer slots than backends */
	assert_int_equal(slots, 251);
	for (n = 0; n < slots; n++)
		assert_int_equal(weights[table[n]], 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_exact),
		cmocka_unit_test(turns_are_spread),
		cmocka_unit_test(only_ratios_count),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(cut_short),
	};

	return RUN("sequence", tests);
}
