// SPDX-License-Identifier: GPL-2.0-only
/*
 * The notes of first packets: found for a span, overwritten by newer ones, and
 * never taken for another flow's.
 */
#include <string.h>

#include "common/core/abi_packets.h"
#include "common/core/begun.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define UNIT (1 << BEGUN_UNIT)

static void found_for_a_span(void **unused)
{
	struct begun_bucket bucket = {0};
	uint64_t state = 1;
	int n;

	(void)unused;
	for (n = 0; n < 10000; n++) {
		__u64 hash = draw(&state) | 1, now = draw(&state);
		__u32 backend = (__u32)draw(&state) % BACKEND_INDEXES;
		__u64 span = draw(&state) % (1 << 20);

		memset(&bucket, 0, sizeof(bucket));
		assert_int_equal(begun_find(&bucket, hash, now, span), -1);
		begun_write(&bucket, hash, backend, now);
		assert_int_equal(begun_find(&bucket, hash, now, span), backend);
		/* A CPU that is a tick behind finds them, too. */
		assert_int_equal(begun_find(&bucket, hash, now - 1, span),
				 backend);
		assert_int_equal(begun_find(&bucket, hash, now + span, span),
				 backend);
		assert_int_equal(
			begun_find(&bucket, hash, now + span + 2 * UNIT, span),
			-1);
		/* A span that is too long for the time field of a note. */
		assert_int_equal(
			begun_find(&bucket, hash, now - UNIT - 1, 1 << 24),
			backend);
		assert_true(begun_number(hash) < BEGUN_BUCKETS);
	}
}

/* Each bit of the hash tells flows apart: by the bucket, or in the note. */
static void of_no_other_flow(void **unused)
{
	struct begun_bucket bucket;
	uint64_t state = 2;
	int n, bit, apart = 0;

	(void)unused;
	for (n = 0; n < 100; n++) {
		__u64 hash = draw(&state) | 1;

		memset(&bucket, 0, sizeof(bucket));
		begun_write(&bucket, hash, 7, 0);
		for (bit = 1; bit < 64; bit++) {
			__u64 other = hash ^ 1ULL << bit;

			apart += begun_number(other) != begun_number(hash) ||
				 begun_find(&bucket, other, 0, 0) < 0;
		}
	}
	/* 34 bits are in the note, 12 give the bucket; bit 0 is always 1. */
	assert_int_equal(apart, n * (33 + 12));
}

/*
 * The notes of a flow's SYNs: each sequence number has one of its own, and none
 * is taken for the note of the flow itself.
 */
static void of_no_other_syn(void **unused)
{
	struct begun_bucket bucket;
	uint64_t state = 3;
	int n, bit;

	(void)unused;
	for (n = 0; n < 1000; n++) {
		__u64 hash = draw(&state) | 1;
		__u32 sequence = draw(&state), other;
		__u64 name = begun_by_syn(hash, sequence);

		assert_true(name & 1);
		memset(&bucket, 0, sizeof(bucket));
		begun_write(&bucket, name, 7, 0);
		assert_int_equal(begun_find(&bucket, name, 0, 0), 7);
		assert_int_equal(begun_find(&bucket, hash, 0, 0), -1);
		for (bit = 0; bit < 32; bit++) {
			other = sequence ^ 1u << bit;
			name = begun_by_syn(hash, other);
			assert_int_equal(begun_find(&bucket, name, 0, 0), -1);
			other = sequence + (1u << bit);
			name = begun_by_syn(hash, other);
			assert_int_equal(begun_find(&bucket, name, 0, 0), -1);
		}
		memset(&bucket, 0, sizeof(bucket));
		begun_write(&bucket, hash, 7, 0);
		for (bit = 0; bit < 32; bit++) {
			name = begun_by_syn(hash, 1u << bit);
			assert_int_equal(begun_find(&bucket, name, 0, 0), -1);
		}
		name = begun_by_syn(hash, 0);
		assert_int_equal(begun_find(&bucket, name, 0, 0), -1);
	}
}

static void oldest_makes_room(void **unused)
{
	struct begun_bucket bucket = {0};
	__u32 n, other, last = BEGUN_PER_BUCKET + 1, end = last * UNIT;

	(void)unused;
	for (n = 1; n <= last; n++)
		begun_write(&bucket, n, n, n * UNIT);
	assert_int_equal(begun_find(&bucket, 1, end, 60 * UNIT), -1);
	for (n = 2; n <= last; n++)
		assert_int_equal(begun_find(&bucket, n, end, 60 * UNIT), n);
	/*
	 * A flow's own note is overwritten, wherever it is, and no other is
	 * lost.
	 */
	for (n = last; n >= 2; n--) {
		begun_write(&bucket, n, 77 + n, end);
		assert_int_equal(begun_find(&bucket, n, end, 0), 77 + n);
		for (other = 2; other <= last; other++)
			assert_true(begun_find(&bucket, other, end,
					       60 * UNIT) >= 0);
	}
	/* It is the newest note then. */
	begun_write(&bucket, 2, 2, end);
	for (n = 21; n < 20 + BEGUN_PER_BUCKET; n++)
		begun_write(&bucket, n, n, end);
	assert_int_equal(begun_find(&bucket, 2, end, 0), 2);
	assert_int_equal(begun_find(&bucket, 3, end, 0), -1);
}

/* Of so many handshakes under way, how many have lost their notes? */
static int lost_of(int flows, uint64_t seed)
{
	static struct begun_bucket buckets[BEGUN_BUCKETS];
	uint64_t state = seed, again = seed;
	int n, lost = 0;

	memset(buckets, 0, sizeof(buckets));
	for (n = 0; n < flows; n++) {
		__u64 hash = draw(&state) | 1;

		begun_write(&buckets[begun_number(hash)], hash, 7, 0);
	}
	for (n = 0; n < flows; n++) {
		__u64 hash = draw(&again) | 1;

		lost += begun_find(&buckets[begun_number(hash)], hash, 0, 0) <
			0;
	}
	return lost;
}

static void room(void **unused)
{
	uint64_t seed;

	(void)unused;
	for (seed = 1; seed <= 20; seed++) {
		assert_int_equal(lost_of(3000, seed), 0);
		assert_true(lost_of(16384, seed) < 16384 / 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_for_a_span),
		cmocka_unit_test(of_no_other_flow),
		cmocka_unit_test(of_no_other_syn),
		cmocka_unit_test(oldest_makes_room),
		cmocka_unit_test(room),
	};

	return RUN("begun", tests);
}
