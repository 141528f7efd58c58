// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_stalls.c - how long an answer may take, without what this process missed
 */
#include "common/base/stalls.h"
#include "tests/unit/unit.h"

#define MS 1000ULL

/* A wait may take 100 ms: how many of them are left after `now`; 0: none. */
static long left_at(const struct stalls *stalls, const struct wait *wait,
		    __u64 now)
{
	struct timeval left;

	if (!stalls_left(stalls, wait, wait->begun + now * MS, &left))
		return 0;
	return left.tv_sec * 1000 + left.tv_usec / 1000;
}

/* The timer fires on time, every STALLS_TICK. */
static void beat(struct stalls *stalls, int times)
{
	while (times--)
		stalls_fire(stalls, stalls->due + MS);
}

static void listened_all_the_time(void **state)
{
	struct stalls stalls = {0};
	struct wait wait;

	(void)state;
	wait_begin(&stalls, &wait, 7000 * MS, 100);
	assert_int_equal(left_at(&stalls, &wait, 20), 80);
	beat(&stalls, 3);
	assert_int_equal(left_at(&stalls, &wait, 90), 10);
	beat(&stalls, 1);
	assert_int_equal(left_at(&stalls, &wait, 100), 0);
	assert_int_equal(stalls.missed, 0);
}

/* Stopped from 26 to 326 ms: the answer still has its full time. */
static void was_stopped(void **state)
{
	struct stalls stalls = {0};
	struct wait wait, later;

	(void)state;
	wait_begin(&stalls, &wait, 7000 * MS, 100);
	beat(&stalls, 1); /* the next is due at 51 */
	/* Before and after the late timer has fired. */
	assert_int_equal(left_at(&stalls, &wait, 326), 49);
	stalls_fire(&stalls, wait.begun + 326 * MS);
	assert_int_equal(left_at(&stalls, &wait, 326), 49);
	/* A wait that begins now has missed nothing. */
	wait_begin(&stalls, &later, wait.begun + 326 * MS, 100);
	assert_int_equal(left_at(&stalls, &later, 1), 99);
	beat(&stalls, 1);
	assert_int_equal(left_at(&stalls, &wait, 374), 0);
	assert_int_equal(left_at(&stalls, &later, 20), 80);
}

/* A wait that begins after a stop, before the loop has run again. */
static void begins_late(void **state)
{
	struct stalls stalls = {0};
	struct wait wait, later;

	(void)state;
	wait_begin(&stalls, &wait, 7000 * MS, 100);
	wait_begin(&stalls, &later, wait.begun + 325 * MS, 100);
	stalls_fire(&stalls, wait.begun + 326 * MS);
	assert_int_equal(left_at(&stalls, &later, 2), 99);
	beat(&stalls, 3);
	assert_int_equal(left_at(&stalls, &later, 101), 0);
}

static void rests_where_nobody_waits(void **state)
{
	struct stalls stalls = {0};
	struct wait wait;

	(void)state;
	wait_begin(&stalls, &wait, 7000 * MS, 100);
	stalls_end(&stalls, &wait);
	stalls_end(&stalls, &wait); /* counts only once */
	beat(&stalls, 1);
	assert_true(!stalls.due && !stalls.waiting);
	wait_begin(&stalls, &wait, 9000 * MS, 100);
	assert_int_equal(left_at(&stalls, &wait, 10), 90);
	assert_int_equal(stalls.missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listened_all_the_time),
		cmocka_unit_test(was_stopped),
		cmocka_unit_test(begins_late),
		cmocka_unit_test(rests_where_nobody_waits),
	};

	return RUN("stalls", tests);
}
