// SPDX-License-Identifier: GPL-2.0-only
/*
 * Laws of the table: a function of the set of addresses and weights, filled
 * to the last slot, shared by weight, and moved little by a change.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"
#include "common/tables/maglev.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define SIZE  65537
#define EMPTY 0xffff
#define MANY  1000

/* Backends 172.19.0.3 and on; each one's index is its number from 0. */
static void pool(struct table_backend *backends, size_t count,
		 const __u16 *weights)
{
	size_t i;

	memset(backends, 0, count * sizeof(*backends));
	for (i = 0; i < count; i++) {
		addr_set_v4(&backends[i].address,
			    bpf_htonl((__u32)(0xac130003 + i)));
		backends[i].weight = weights ? weights[i] : 1;
		backends[i].index = i;
	}
}

static __u16 *fill(__u32 size, const struct table_backend *backends,
		   size_t count)
{
	__u16 *table = malloc(size * sizeof(*table));

	assert_non_null(table);
	memset(table, 0xff, size * sizeof(*table)); /* EMPTY */
	assert_int_equal(maglev_fill(table, size, backends, count), 0);
	return table;
}

static __u16 *fill_pool(size_t count, const __u16 *weights)
{
	static struct table_backend backends[MANY];

	pool(backends, count, weights);
	return fill(SIZE, backends, count);
}

static __u32 share(const __u16 *table, __u16 index)
{
	__u32 i, slots = 0;

	for (i = 0; i < SIZE; i++)
		slots += table[i] == index;
	return slots;
}

static __u32 moved(const __u16 *a, const __u16 *b)
{
	__u32 i, slots = 0;

	for (i = 0; i < SIZE; i++)
		slots += a[i] != b[i];
	return slots;
}

/* Frees both. */
static void check_same(__u16 *a, __u16 *b)
{
	assert_memory_equal(a, b, SIZE * sizeof(*a));
	free(a);
	free(b);
}

static void order_does_not_matter(void **unused)
{
	static const __u16 weights[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
	struct table_backend backends[10], swap;
	uint64_t state = 1;
	int round, i, j;
	__u16 *table;

	(void)unused;
	pool(backends, 10, weights);
	table = fill(SIZE, backends, 10);
	for (round = 0; round < 20; round++) {
		__u16 *other;

		for (i = 9; i > 0; i--) {
			j = draw_below(&state, i + 1);
			swap = backends[i];
			backends[i] = backends[j];
			backends[j] = swap;
		}
		other = fill(SIZE, backends, 10);
		assert_int_equal(moved(table, other), 0);
		free(other);
	}
	free(table);
}

static void indices_are_only_written(void **unused)
{
	static const __u16 indices[] = {16383, 0, 77, 5, 9000};
	struct table_backend backends[5];
	__u16 *table, *other;
	int i;

	(void)unused;
	pool(backends, 5, NULL);
	table = fill(SIZE, backends, 5);
	for (i = 0; i < 5; i++)
		backends[i].index = indices[i];
	other = fill(SIZE, backends, 5);
	for (i = 0; i < SIZE; i++)
		assert_int_equal(other[i], indices[table[i]]);
	free(table);
	free(other);
}

static void only_ratios_count(void **unused)
{
	(void)unused;
	check_same(fill_pool(3, (__u16[]){1, 2, 3}),
		   fill_pool(3, (__u16[]){333, 666, 999}));
	check_same(fill_pool(10, NULL),
		   fill_pool(10, (__u16[]){7, 7, 7, 7, 7, 7, 7, 7, 7, 7}));
}

/*
 * Every slot has an owner, and each backend has its share within 1 % of the
 * table.
 */
static void check_shares(size_t count, const __u16 *weights)
{
	__u16 *table = fill_pool(count, weights);
	double total = 0;
	size_t i;

	assert_int_equal(share(table, EMPTY), 0);
	for (i = 0; i < count; i++)
		total += weights ? weights[i] : 1;
	for (i = 0; i < count; i++) {
		double due = SIZE * (weights ? weights[i] : 1) / total;
		double got = share(table, i);

		assert_true(got > 0);
		if (got < due - SIZE * 0.01 || got > due + SIZE * 0.01)
			fail_msg("backend %zu of %zu: %g slots, not %g", i,
				 count, got, due);
	}
	free(table);
}

static void shares_follow_weights(void **unused)
{
	static __u16 light[MANY];
	size_t i;

	(void)unused;
	check_shares(1, NULL);
	check_shares(2, NULL);
	check_shares(10, NULL);
	check_shares(100, NULL);
	check_shares(MANY, NULL);
	check_shares(2, (__u16[]){3, 1});
	check_shares(2, (__u16[]){1, 3});
	check_shares(2, (__u16[]){1, 1000});
	check_shares(3, (__u16[]){1000, 999, 1});
	check_shares(5, (__u16[]){50, 7, 1, 13, 29});
	for (i = 0; i < MANY; i++)
		light[i] = 1;
	light[MANY / 2] = 1000;
	check_shares(MANY, light);
}

/* Not only in number: each quarter of the table has the same shares. */
static void slots_are_mixed(void **unused)
{
	__u16 *table = fill_pool(2, (__u16[]){3, 1});
	__u32 i, slots[4] = {0}, longest = 0, run = 0;

	(void)unused;
	for (i = 0; i < SIZE; i++) {
		slots[i * 4 / SIZE] += table[i] == 1;
		run = table[i] == 0 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	for (i = 0; i < 4; i++)
		assert_in_range(slots[i], SIZE / 16 * 94 / 100,
				SIZE / 16 * 106 / 100);
	assert_in_range(longest, 3, 100);
	free(table);
}

/* At least the slots that must move, at most 1 % of the table more. */
static void check_moved(__u16 *before, __u16 *after, double must)
{
	double slots = moved(before, after);

	if (slots < must * 0.99 || slots > must + SIZE * 0.01)
		fail_msg("%g slots moved, %g had to", slots, must);
	free(after);
}

static void one_of_ten_removed(void **unused)
{
	__u16 *table = fill_pool(10, NULL), *after;
	struct table_backend backends[10];
	int i;

	(void)unused;
	for (i = 0; i < 10; i++) {
		pool(backends, 10, NULL);
		backends[i] = backends[9];
		after = fill(SIZE, backends, 9);
		assert_int_equal(share(after, i == 9 ? EMPTY : i), 0);
		assert_true(moved(table, after) <= SIZE * 12 / 100);
		check_moved(table, after, SIZE / 10.0);
	}
	free(table);
}

static void one_added(void **unused)
{
	__u16 *table = fill_pool(10, NULL);

	(void)unused;
	check_moved(table, fill_pool(11, NULL), SIZE / 11.0);
	free(table);
}

static void weight_changed(void **unused)
{
	__u16 weights[] = {7, 3, 5, 1, 10, 2, 8, 4, 6, 9};
	__u16 *table = fill_pool(10, weights), *after;
	double due;
	int i;

	(void)unused;
	for (i = 0; i < 10; i++) {
		/* Its share grows from w / 55 to (w + 1) / 56. */
		due = (weights[i] + 1) / 56.0 - weights[i] / 55.0;
		weights[i]++;
		after = fill_pool(10, weights);
		weights[i]--;
		check_moved(table, after, SIZE * due);
	}
	free(table);
	table = fill_pool(10, NULL);
	check_moved(table,
		    fill_pool(10, (__u16[]){1, 1, 1, 1, 1, 2, 1, 1, 1, 1}),
		    SIZE * (2 / 11.0 - 1 / 10.0));
	free(table);
}

static void small_tables(void **unused)
{
	static const __u32 sizes[] = {2, 3, 5, 7, 11, 251};
	struct table_backend backends[10];
	size_t i, count;
	__u32 slot;

	(void)unused;
	pool(backends, 10, NULL);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (count = 1; count <= 10; count++) {
			__u16 *table = fill(sizes[i], backends, count);

			for (slot = 0; slot < sizes[i]; slot++)
				assert_true(table[slot] < count);
			free(table);
		}
}

/* FNV-1a, two bytes for each slot, high byte first; see golden.py. */
static uint64_t digest(__u32 size, const struct table_backend *backends,
		       size_t count)
{
	__u16 *table = fill(size, backends, count);
	uint64_t value = 0xcbf29ce484222325ULL;
	__u32 i;

	for (i = 0; i < size; i++) {
		value = (value ^ table[i] >> 8) * 0x100000001b3ULL;
		value = (value ^ (table[i] & 255)) * 0x100000001b3ULL;
	}
	free(table);
	return value;
}

static void golden(void **unused)
{
	static const __u16 weights[] = {1000, 1, 7, 50, 3, 999, 20};
	struct table_backend backends[10];
	int i;

	(void)unused;
	pool(backends, 10, NULL);
	assert_true(digest(SIZE, backends, 10) == 0x80bce0b8ebd6eb03);
	assert_true(digest(7, backends, 5) == 0x18d0751e1aa61486);
	backends[0].weight = 3;
	assert_true(digest(SIZE, backends, 2) == 0xf9ae452e1e1884cd);
	for (i = 0; i < 7; i++) {
		char text[32];

		snprintf(text, sizeof(text), "2001:db8:%x::%x", i, 7 - i);
		assert_int_equal(
			inet_pton(AF_INET6, text, &backends[i].address), 1);
		backends[i].weight = weights[i];
	}
	assert_true(digest(SIZE, backends, 7) == 0x759b03dcc3832a16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(indices_are_only_written),
		cmocka_unit_test(only_ratios_count),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(slots_are_mixed),
		cmocka_unit_test(one_of_ten_removed),
		cmocka_unit_test(one_added),
		cmocka_unit_test(weight_changed),
		cmocka_unit_test(small_tables),
		cmocka_unit_test(golden),
	};

	return RUN("maglev", tests);
}
