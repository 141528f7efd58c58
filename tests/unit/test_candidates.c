// SPDX-License-Identifier: GPL-2.0-only
/*
 * The candidates of a slot: all its owners after any subset of the changes.
 * They are the same on every host, in whatever order the changes are made.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"
#include "common/core/candidates.h"
#include "common/tables/candidates.h"
#include "common/tables/maglev.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define SIZE 16381
#define MOST 12
#define NO   NO_CANDIDATE

/* Backends 10.0.0.1 and on, each with weight 1, before and after. */
static void pool(struct candidate *backends, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		addr_set_v4(&backends[i].address,
			    bpf_htonl((__u32)(0x0a000001 + i)));
		backends[i].before = 1;
		backends[i].after = 1;
	}
}

static struct candidates *fill(const struct candidate *backends, size_t count,
			       __u32 *cut)
{
	struct candidates *lists = malloc(SIZE * sizeof(*lists));

	assert_non_null(lists);
	assert_int_equal(candidates_fill(SIZE, backends, count, lists, cut), 0);
	return lists;
}

/* The owners of all slots with these weights. */
static __u16 *table_of(const struct candidate *backends, const __u16 *weights,
		       size_t count)
{
	struct table_backend chosen[MOST];
	__u16 *table = malloc(SIZE * sizeof(*table));
	size_t i, found = 0;

	assert_non_null(table);
	for (i = 0; i < count; i++) {
		if (weights[i])
			chosen[found++] = (struct table_backend){
				backends[i].address, weights[i], (__u16)i};
	}
	assert_int_equal(maglev_fill(table, SIZE, chosen, found), 0);
	return table;
}

static bool is_in(const struct candidates *list, __u16 number)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (list->at[i] == number)
			return true;
	}
	return false;
}

static int length_of(const struct candidates *list)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES && list->at[i] != NO_CANDIDATE; i++)
		;
	return i;
}

/* Without a change there is one candidate, the owner. */
static void at_rest(void **unused)
{
	struct candidate backends[5];
	const __u16 weights[5] = {1, 1, 1, 1, 1};
	struct candidates *lists;
	__u16 *table;
	__u32 cut, i;

	(void)unused;
	pool(backends, 5);
	lists = fill(backends, 5, &cut);
	table = table_of(backends, weights, 5);
	for (i = 0; i < SIZE; i++) {
		assert_int_equal(lists[i].at[0], table[i]);
		assert_int_equal(length_of(&lists[i]), 1);
	}
	assert_int_equal(cut, 0);
	free(lists);
	free(table);
}

/*
 * The naive model: for each choice its table, and for each slot the set of its
 * owners. A list is that set, or four of it; the first owns the slot now.
 */
static void check_against_model(const struct candidate *backends, size_t count)
{
	__u32 choice, i, cut, longer = 0, all = 1u << count;
	struct candidates *lists = fill(backends, count, &cut);
	__u16(*owners)[MOST] = calloc(SIZE, sizeof(*owners));
	__u16 weights[MOST], *table, sum;
	size_t b;

	assert_non_null(owners);
	for (choice = 0; choice < all; choice++) {
		for (b = 0, sum = 0; b < count; b++) {
			weights[b] = choice >> b & 1 ? backends[b].before
						     : backends[b].after;
			sum |= weights[b];
		}
		if (!sum)
			continue;
		table = table_of(backends, weights, count);
		for (i = 0; i < SIZE; i++) {
			owners[i][table[i]] = 1;
			if (!choice)
				assert_int_equal(lists[i].at[0], table[i]);
		}
		free(table);
	}
	for (i = 0; i < SIZE; i++) {
		size_t had = 0;

		for (b = 0; b < count; b++) {
			had += owners[i][b];
			if (is_in(&lists[i], (__u16)b))
				assert_true(owners[i][b]);
		}
		if (had > MOST_CANDIDATES)
			longer++;
		assert_int_equal(length_of(&lists[i]),
				 had > MOST_CANDIDATES ? MOST_CANDIDATES : had);
	}
	assert_int_equal(cut, longer);
	free(owners);
	free(lists);
}

static void all_owners(void **unused)
{
	static const __u16 weights[][2] = {{0, 1}, {1, 0},  {1, 2},
					   {7, 1}, {0, 64}, {3, 0}};
	struct candidate backends[MOST];
	uint64_t state = 1;
	int turn, n;

	(void)unused;
	for (turn = 0; turn < 12; turn++) {
		size_t count = 4 + draw_below(&state, 3);

		pool(backends, count);
		for (n = 0; n < MOST_IN_TRANSITION; n++) {
			const __u16 *change = weights[draw_below(&state, 6)];
			struct candidate *backend =
				&backends[draw_below(&state, (__u32)count)];

			backend->before = change[0];
			backend->after = change[1];
		}
		check_against_model(backends, count);
	}
}

/* The order in the file changes only the numbers. */
static void order_does_not_matter(void **unused)
{
	struct candidate a[6], b[6];
	struct candidates *one, *other;
	__u32 cut, i;
	int n;

	(void)unused;
	pool(a, 6);
	a[1].before = 0;
	a[3].after = 0;
	a[4].after = 5;
	for (n = 0; n < 6; n++)
		b[5 - n] = a[n];
	one = fill(a, 6, &cut);
	other = fill(b, 6, &cut);
	for (i = 0; i < SIZE; i++) {
		for (n = 0; n < length_of(&one[i]); n++)
			assert_int_equal(5 - one[i].at[n], other[i].at[n]);
		assert_int_equal(length_of(&one[i]), length_of(&other[i]));
	}
	free(one);
	free(other);
}

/* Who owns the slot without its owner: at the end of the list, or in it. */
static void deputies_stand(void **unused)
{
	static __u64 standing[SIZE / 64 + 1];
	struct candidate backends[6];
	struct candidates *before, *lists;
	__u16 weights[6], *tables[6];
	__u32 cut, i, added = 0;
	size_t owner, b;

	(void)unused;
	pool(backends, 6);
	backends[1].before = 0;
	backends[4].after = 0;
	before = fill(backends, 6, &cut);
	lists = fill(backends, 6, &cut);
	/* A map that was used before has others in it. */
	memset(standing, 0xff, sizeof(standing));
	assert_int_equal(candidates_stand(SIZE, backends, 6, lists, standing),
			 0);
	for (owner = 0; owner < 6; owner++) {
		for (b = 0; b < 6; b++)
			weights[b] = b == owner ? 0 : backends[b].after;
		tables[owner] = table_of(backends, weights, 6);
	}
	for (i = 0; i < SIZE; i++) {
		__u16 deputy = tables[before[i].at[0]][i];
		bool was_there = is_in(&before[i], deputy) ||
				 length_of(&before[i]) == MOST_CANDIDATES;
		int length = length_of(&before[i]);

		assert_memory_equal(before[i].at, lists[i].at,
				    (size_t)length * sizeof(deputy));
		assert_int_equal(length_of(&lists[i]), length + !was_there);
		if (!was_there)
			assert_int_equal(lists[i].at[length], deputy);
		assert_int_equal(standing[i / 64] >> i % 64 & 1, !was_there);
		added += !was_there;
	}
	assert_in_range(added, SIZE / 2, SIZE);
	for (owner = 0; owner < 6; owner++)
		free(tables[owner]);
	free(before);
	free(lists);
}

/* In the circle from the one asked first, those that are gone are last. */
static void asks_those_that_are_there(void **unused)
{
	static const struct {
		struct candidates list;
		__u16 gone[3], wanted;
	} cases[] = {
		{{{4, NO, NO, NO}}, {NO, NO, NO}, 4},
		{{{4, 3, 0, NO}}, {NO, NO, NO}, 4},
		{{{4, 3, 0, NO}}, {3, NO, NO}, 0},
		{{{4, 3, 0, NO}}, {0, NO, NO}, 4},
		{{{4, 3, 0, NO}}, {4, NO, NO}, 3},
		{{{4, 3, 0, NO}}, {4, 3, NO}, 0},
		{{{4, 3, 0, NO}}, {4, 0, NO}, 3},
		{{{4, 3, 0, NO}}, {4, 3, 0}, 4},
		{{{4, 3, 0, 1}}, {3, NO, NO}, 0},
		{{{4, 3, 0, 1}}, {3, 0, NO}, 1},
	};
	size_t i, n;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is_gone[5] = {false};

		for (n = 0; n < 3 && cases[i].gone[n] != NO; n++)
			is_gone[cases[i].gone[n]] = true;
		assert_int_equal(candidates_first(&cases[i].list, is_gone),
				 cases[i].wanted);
	}
}

/* Of two tables: the first stays, nobody is there twice, in order. */
static void joined(void **unused)
{
	static const struct {
		struct candidates list, more, wanted;
	} cases[] = {
		{{{1, NO, NO, NO}}, {{1, NO, NO, NO}}, {{1, NO, NO, NO}}},
		{{{1, NO, NO, NO}}, {{2, NO, NO, NO}}, {{1, 2, NO, NO}}},
		{{{1, 2, NO, NO}}, {{3, 2, NO, NO}}, {{1, 2, 3, NO}}},
		{{{1, 2, 3, NO}}, {{3, 4, 5, NO}}, {{1, 2, 3, 4}}},
		{{{1, 2, 3, 4}}, {{5, 1, NO, NO}}, {{1, 2, 3, 4}}},
		{{{1, 2, NO, NO}}, {{2, 1, 0, NO}}, {{1, 2, 0, NO}}},
		{{{1, NO, NO, NO}}, {{NO, NO, NO, NO}}, {{1, NO, NO, NO}}},
	};
	struct candidates list;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		list = cases[i].list;
		candidates_join(&list, &cases[i].more);
		assert_memory_equal(&list, &cases[i].wanted, sizeof(list));
	}
}

/*
 * At the end of a transition (filling to active, draining to gone) no slot
 * changes its owner.
 */
static void an_end_moves_nothing(void **unused)
{
	struct candidate backends[6];
	struct candidates *during, *after;
	__u32 cut, i, wider = 0;

	(void)unused;
	pool(backends, 6);
	backends[2].before = 0;
	backends[5].after = 0;
	during = fill(backends, 6, &cut);
	backends[2].before = 1;
	after = fill(backends, 5, &cut);
	for (i = 0; i < SIZE; i++) {
		assert_int_equal(during[i].at[0], after[i].at[0]);
		assert_int_equal(length_of(&after[i]), 1);
		wider += length_of(&during[i]) > 1;
	}
	/* A sixth and a fifth of the slots, and few others. */
	assert_in_range(wider, SIZE / 4, SIZE / 2);
	free(during);
	free(after);
}

/*
 * Two changes in a row, before the flows of the time before have ended: their
 * owners are in the lists, whichever change was made first.
 */
static void two_changes(void **unused)
{
	static const __u16 first[6] = {1, 1, 1, 1, 0, 0};
	static const __u16 one_added[6] = {1, 1, 1, 1, 1, 0};
	static const __u16 other_added[6] = {1, 1, 1, 1, 0, 1};
	const __u16 *const times[] = {first, one_added, other_added};
	struct candidate backends[6];
	struct candidates *lists;
	__u32 cut, i;
	size_t n;

	(void)unused;
	pool(backends, 6);
	backends[4].before = 0;
	backends[5].before = 0;
	lists = fill(backends, 6, &cut);
	for (n = 0; n < 3; n++) {
		__u16 *table = table_of(backends, times[n], 6);

		for (i = 0; i < SIZE; i++)
			assert_true(is_in(&lists[i], table[i]));
		free(table);
	}
	free(lists);
}

/* All backends drain: each slot's owner comes first. */
static void nobody_stays(void **unused)
{
	struct candidate backends[2];
	const __u16 weights[2] = {1, 1};
	struct candidates *lists;
	__u16 *table;
	__u32 cut, i;

	(void)unused;
	pool(backends, 2);
	table = table_of(backends, weights, 2);
	backends[0].after = 0;
	backends[1].after = 0;
	lists = fill(backends, 2, &cut);
	for (i = 0; i < SIZE; i++) {
		assert_int_equal(length_of(&lists[i]), 2);
		assert_int_equal(lists[i].at[0], table[i]);
	}
	free(lists);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_rest),
		cmocka_unit_test(all_owners),
		cmocka_unit_test(joined),
		cmocka_unit_test(deputies_stand),
		cmocka_unit_test(asks_those_that_are_there),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(an_end_moves_nothing),
		cmocka_unit_test(two_changes),
		cmocka_unit_test(nobody_stays),
	};

	return RUN("candidates", tests);
}
