// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads of servers as slots: what is free stays within 0 and `threads`, a
 * lease ends, a slot is freed for the client that has it, and only once.
 */
#include <pthread.h>
#include <string.h>

#include "common/core/schedulers/workers.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define THREADS 5
#define LEASE	60000

static __u64 slot_of(__u64 now, __u64 hash)
{
	return worker_slot(now + LEASE, worker_name(hash));
}

static void names(void **unused)
{
	uint64_t state = 1;
	int n;

	(void)unused;
	for (n = 0; n < 100000; n++) {
		__u64 name = worker_name(n < 4 ? (__u64)n : draw(&state));

		assert_true(name & 1);
		assert_true(name <= WORKER_NAMES);
		assert_true(name != WORKER_NOBODY);
	}
}

static void a_lease_ends(void **unused)
{
	uint64_t state = 2;
	int n;

	(void)unused;
	assert_false(worker_is_busy(0, 0));
	for (n = 0; n < 100000; n++) {
		__u64 now = draw(&state) >> 25;
		__u64 slot = slot_of(now, draw(&state));

		assert_true(worker_is_busy(slot, now));
		assert_true(worker_is_busy(slot, now + LEASE - 1));
		assert_false(worker_is_busy(slot, now + LEASE));
		/* ... and stays so for years. */
		assert_false(worker_is_busy(slot, now + LEASE + (1ULL << 38)));
		assert_int_equal(worker_until(slot), now + LEASE);
	}
}

static void taken_until_none_is_free(void **unused)
{
	struct workers workers = {0};
	__u64 now = 4294667296;
	int i;

	(void)unused;
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(workers_free(&workers, THREADS, now),
				 THREADS - i);
		assert_int_equal(
			workers_take(&workers, THREADS, now, slot_of(now, i)),
			i);
	}
	assert_int_equal(workers_free(&workers, THREADS, now), 0);
	assert_int_equal(workers_take(&workers, THREADS, now, slot_of(now, 9)),
			 -1);
	/* One more thread is one more slot; fewer hide those that are busy. */
	assert_int_equal(workers_free(&workers, THREADS + 1, now), 1);
	assert_int_equal(workers_free(&workers, 2, now), 0);
	/* All leases have ended: the first is taken, and it is said. */
	now += LEASE;
	assert_int_equal(workers_free(&workers, THREADS, now), THREADS);
	assert_int_equal(workers_take(&workers, THREADS, now, slot_of(now, 7)),
			 WORKER_EXPIRED);
}

static void freed_for_its_client_and_once(void **unused)
{
	struct workers workers = {0};
	__u64 now = 1000, a = worker_name(2), b = worker_name(4);
	int i;

	(void)unused;
	workers_take(&workers, THREADS, now, worker_slot(now + 9, b));
	workers_take(&workers, THREADS, now, worker_slot(now + 7, a));
	workers_take(&workers, THREADS, now, worker_slot(now + 5, a));
	assert_int_equal(workers_oldest(&workers, now, worker_name(6)), -1);
	assert_int_equal(workers_oldest(&workers, now, b), 0);
	/* Of two requests of one client, the older; of all, too. */
	assert_int_equal(workers_oldest(&workers, now, a), 2);
	assert_int_equal(workers_oldest(&workers, now, 0), 2);
	for (i = 0; i < 2; i++) {
		__u64 *slot = &workers.slot[workers_oldest(&workers, now, a)];

		assert_true(worker_exchange(slot, worker_read(slot), 0));
	}
	assert_int_equal(workers_oldest(&workers, now, a), -1);
	assert_int_equal(workers_free(&workers, THREADS, now), THREADS - 1);
	/* One that a CPU has taken, and for which it looks for a request. */
	workers.slot[3] = worker_slot(now + 1, WORKER_NOBODY);
	assert_int_not_equal(workers_oldest(&workers, now, 0), 3);
	assert_int_equal(workers_oldest(&workers, now, 0),
			 workers_oldest(&workers, now, b));
	workers.slot[3] = 0;
	/* One whose lease has ended is nobody's. */
	assert_int_equal(workers_oldest(&workers, now + 9, b), -1);
}

/* Each of two CPUs takes and frees; nobody ever has a slot that another has. */
static struct workers shared;
static int owners[MAX_THREADS];

static void *take_and_free(void *unused)
{
	int n, i, twice = 0;

	(void)unused;
	for (n = 0; n < 200000; n++) {
		i = workers_take(&shared, 2, 1, slot_of(1, 2));
		if (i < 0)
			continue;
		twice += __atomic_add_fetch(&owners[i], 1, __ATOMIC_SEQ_CST) !=
			 1;
		__atomic_sub_fetch(&owners[i], 1, __ATOMIC_SEQ_CST);
		twice += !worker_exchange(&shared.slot[i], slot_of(1, 2), 0);
	}
	return (void *)(long)twice;
}

static void on_two_cpus(void **unused)
{
	pthread_t other[2];
	void *twice;
	int i;

	(void)unused;
	for (i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&other[i], NULL, take_and_free, NULL),
			0);
	for (i = 0; i < 2; i++) {
		pthread_join(other[i], &twice);
		assert_null(twice);
	}
	assert_int_equal(workers_free(&shared, 2, 1), 2);
}

static void waits(void **unused)
{
	(void)unused;
	assert_int_equal(workers_wait(0), 0);
	assert_int_equal(workers_wait(1000000), 0);
	assert_int_equal(workers_wait(1000001), 1);
	assert_int_equal(workers_wait(2000000), 1);
	assert_int_equal(workers_wait(2000001), 2);
	assert_int_equal(workers_wait(65536000000), WORKER_WAITS - 2);
	assert_int_equal(workers_wait(65536000001), WORKER_WAITS - 1);
	assert_int_equal(workers_wait(-1ULL), WORKER_WAITS - 1);
}

static void shares(void **unused)
{
	(void)unused;
	assert_int_equal(workers_share(5, 1), 5);
	assert_int_equal(workers_share(5, 2), 2);
	assert_int_equal(workers_share(64, 64), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(a_lease_ends),
		cmocka_unit_test(taken_until_none_is_free),
		cmocka_unit_test(freed_for_its_client_and_once),
		cmocka_unit_test(on_two_cpus),
		cmocka_unit_test(waits),
		cmocka_unit_test(shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
