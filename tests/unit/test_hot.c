// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hot flows, the cache in front of the flow table: how long an entry is valid,
 * for which flow, and which entry makes room.
 */
#include <string.h>

#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/hot.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define SHIFT 9

static const struct generation first = {.number = 1, .hot_shift = SHIFT};
static const struct generation second = {.number = 2, .hot_shift = SHIFT};

static void believed_for_a_span(void **unused)
{
	struct hot_bucket bucket = {0};
	uint64_t state = 1;
	int n;

	(void)unused;
	for (n = 0; n < 100000; n++) {
		__u64 hash = draw(&state), now = draw(&state) >> 20;
		__u64 begin = now & ~((1ULL << SHIFT) - 1);
		__u64 end = begin + (1ULL << SHIFT);
		__u32 backend = (__u32)draw(&state) % BACKEND_INDEXES;
		__u64 entry = hot_entry(hash, &first, now);

		memset(&bucket, 0, sizeof(bucket));
		assert_int_equal(hot_find(&bucket, entry), -1);
		hot_add(&bucket, entry, backend);
		assert_int_equal(hot_find(&bucket, entry), backend);
		entry = hot_entry(hash, &first, begin);
		assert_int_equal(hot_find(&bucket, entry), backend);
		entry = hot_entry(hash, &first, end - 1);
		assert_int_equal(hot_find(&bucket, entry), backend);
		entry = hot_entry(hash, &first, end);
		assert_int_equal(hot_find(&bucket, entry), -1);
		/* Two bits of the span repeat, the others do not. */
		entry = hot_entry(hash, &first, now + (4ULL << SHIFT));
		assert_int_equal(hot_find(&bucket, entry), -1);
		entry = hot_entry(hash, &second, now);
		assert_int_equal(hot_find(&bucket, entry), -1);
	}
}

/* If one of the upper 48 bits differs, it is another flow. */
static void another_flow(void **unused)
{
	struct hot_bucket bucket = {0};
	int bit;

	(void)unused;
	hot_add(&bucket, hot_entry(0x123456789abcdef1, &first, 7), 5);
	for (bit = 16; bit < 64; bit++) {
		__u64 other = 0x123456789abcdef1 ^ 1ULL << bit;

		assert_int_equal(hot_find(&bucket, hot_entry(other, &first, 7)),
				 -1);
	}
}

static __u64 flow_of(int n, __u64 now)
{
	return hot_entry((__u64)(n + 1) << 32, &first, now);
}

static void room(void **unused)
{
	struct hot_bucket bucket = {0};
	__u64 now = 100ULL << SHIFT, later = now + (1ULL << SHIFT);
	int n;

	(void)unused;
	for (n = 0; n <= HOT_PER_BUCKET; n++)
		hot_add(&bucket, flow_of(n, now), n);
	/* One flow too many: those that have an entry keep it. */
	for (n = 0; n < HOT_PER_BUCKET; n++)
		assert_int_equal(hot_find(&bucket, flow_of(n, now)), n);
	assert_int_equal(hot_find(&bucket, flow_of(n, now)), -1);
	/* In the next span they make room, one for one. */
	hot_add(&bucket, flow_of(n, later), n);
	assert_int_equal(hot_find(&bucket, flow_of(n, later)), n);
	for (n = 1; n < HOT_PER_BUCKET; n++)
		assert_int_equal(hot_find(&bucket, flow_of(n, now)), n);
	assert_int_equal(hot_find(&bucket, flow_of(0, now)), -1);
}

static void forgotten(void **unused)
{
	struct hot_bucket bucket = {0};
	int n, other;

	(void)unused;
	for (n = 0; n < HOT_PER_BUCKET; n++) {
		memset(&bucket, 0, sizeof(bucket));
		for (other = 0; other < HOT_PER_BUCKET; other++)
			hot_add(&bucket, flow_of(other, 1), other);
		hot_forget(&bucket, flow_of(n, 1));
		for (other = 0; other < HOT_PER_BUCKET; other++)
			assert_int_equal(hot_find(&bucket, flow_of(other, 1)),
					 other == n ? -1 : other);
	}
}

static void numbers_are_in_bounds(void **unused)
{
	(void)unused;
	assert_int_equal(hot_number(0), 0);
	assert_int_equal(hot_number(~0ULL), HOT_BUCKETS - 1);
	assert_int_equal(hot_number(0xffffffffULL << 32), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(believed_for_a_span),
		cmocka_unit_test(another_flow),
		cmocka_unit_test(room),
		cmocka_unit_test(forgotten),
		cmocka_unit_test(numbers_are_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
