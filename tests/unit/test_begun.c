// SPDX-License-Identifier: GPL-2.0-only
/*
 * The notes of first packets: found for a span, overwritten by the newest, and
 * never one flow's for another's.
 */
#include <string.h>

#include "common/core/begun.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

static void found_for_a_span(void **unused)
{
	struct begun_bucket bucket = {0};
	uint64_t state = 1;
	int n;

	(void)unused;
	for (n = 0; n < 10000; n++) {
		__u64 hash = draw(&state) | 1;
		__u32 now = (__u32)draw(&state);
		__u32 backend = (__u32)draw(&state) % FLOW_BACKEND + 1;

		memset(&bucket, 0, sizeof(bucket));
		assert_int_equal(begun_find(&bucket, hash, now, 60), 0);
		begun_write(&bucket, hash, backend, now);
		assert_int_equal(begun_find(&bucket, hash, now, 60), backend);
		/* By a CPU that is a tick behind, too. */
		assert_int_equal(begun_find(&bucket, hash, now - 1, 60),
				 backend);
		assert_int_equal(begun_find(&bucket, hash, now + 60, 60),
				 backend);
		assert_int_equal(begun_find(&bucket, hash, now + 61, 60), 0);
		assert_int_equal(begun_find(&bucket, hash ^ 2, now, 60), 0);
		assert_true(begun_number(hash) < BEGUN_BUCKETS);
	}
}

static void oldest_makes_room(void **unused)
{
	struct begun_bucket bucket = {0};
	__u32 n;

	(void)unused;
	for (n = 1; n <= BEGUN_PER_BUCKET + 1; n++)
		begun_write(&bucket, n, n, n);
	assert_int_equal(begun_find(&bucket, 1, n, 60), 0);
	for (n = 2; n <= BEGUN_PER_BUCKET + 1; n++)
		assert_int_equal(begun_find(&bucket, n, n, 60), n);
	/* Its own is written anew, and no other is lost. */
	begun_write(&bucket, 2, 77, 9);
	assert_int_equal(begun_find(&bucket, 2, 9, 60), 77);
	for (n = 3; n <= BEGUN_PER_BUCKET + 1; n++)
		assert_int_equal(begun_find(&bucket, n, 9, 60), n);
}

/* Half of one note and half of another, as two CPUs may leave them. */
static void torn(void **unused)
{
	struct begun_bucket one = {0}, other = {0};

	(void)unused;
	begun_write(&one, 0x1111, 5, 100);
	begun_write(&other, 0x2221, 6, 100);
	one.flows[0].note = other.flows[0].note;
	assert_int_equal(begun_find(&one, 0x1111, 100, 60), 0);
	assert_int_equal(begun_find(&one, 0x2221, 100, 60), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_for_a_span),
		cmocka_unit_test(oldest_makes_room),
		cmocka_unit_test(torn),
	};

	return RUN("begun", tests);
}
