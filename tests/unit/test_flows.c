// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bucket of the flow table: what is found in it, and who makes room.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/flows.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

static struct flow_bucket bucket_of(const __u64 *hashes, const __u32 *seen)
{
	struct flow_bucket bucket = {0};
	int i;

	for (i = 0; i < FLOWS_PER_BUCKET; i++)
		bucket.flows[i] = (struct flow){hashes[i], 1, seen[i]};
	return bucket;
}

static void found_where_it_is(void **unused)
{
	static const __u64 hashes[] = {11, 0, 33, 44};
	static const __u32 seen[] = {0, 0, 0, 0};
	struct flow_bucket bucket = bucket_of(hashes, seen);

	(void)unused;
	assert_int_equal(flow_find(&bucket, 11), 0);
	assert_int_equal(flow_find(&bucket, 33), 2);
	assert_int_equal(flow_find(&bucket, 44), 3);
	assert_int_equal(flow_find(&bucket, 22), -1);
	/* Only all 64 bits are the flow. */
	assert_int_equal(flow_find(&bucket, 1ULL << 32 | 11), -1);
}

static void placed(void **unused)
{
	static const struct {
		const char *name;
		__u64 hashes[4];
		__u32 seen[4], now;
		int place;
	} rows[] = {
		{"an empty bucket", {0}, {0}, 5, 0},
		{"its own", {1, 2, 9, 4}, {1, 1, 100, 1}, 100, 2},
		{"its own, an empty one before", {0, 2, 3, 9}, {0}, 100, 3},
		{"an empty one, an old one before", {1, 2, 0, 4}, {0}, 100, 2},
		{"the oldest", {1, 2, 3, 4}, {50, 40, 60, 45}, 100, 1},
		{"the oldest, over the end of jiffies",
		 {1, 2, 3, 4},
		 {5, 0xfffffff0, 0xffffffe0, 2},
		 10,
		 2},
		{"not one that was seen a tick ahead of now",
		 {1, 2, 3, 4},
		 {101, 99, 101, 100},
		 100,
		 1},
		{"nor over the end of jiffies",
		 {1, 2, 3, 4},
		 {0, 0xfffffffe, 1, 0xffffffff},
		 0xffffffff,
		 1},
		{"one silent for over 2^31 jiffies",
		 {1, 2, 3, 4},
		 {0x7fffffff, 0x80000001, 0x80000002, 0x80000003},
		 0,
		 0},
		{"all of one age", {1, 2, 3, 4}, {7, 7, 7, 7}, 7, 0},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_bucket bucket =
			bucket_of(rows[i].hashes, rows[i].seen);
		int place = flow_place(&bucket, 9, rows[i].now);

		if (place != rows[i].place)
			fail_msg("%s: place %d, not %d", rows[i].name, place,
				 rows[i].place);
	}
}

/* Twice as many places as flows: what 100,000 random ones lose of each other.
 */
static void rarely_evicted(void **unused)
{
	const __u32 size = 100000, buckets = flow_buckets(size);
	struct flow_bucket *table = calloc(buckets, sizeof(*table));
	uint64_t state = 1;
	__u32 i, kept = 0, j;

	(void)unused;
	for (i = 0; i < size; i++) {
		__u64 hash = draw(&state) | 1;
		struct flow_bucket *bucket = &table[flow_bucket(hash, buckets)];

		bucket->flows[flow_place(bucket, hash, i)] =
			(struct flow){hash, 1, i};
	}
	for (i = 0; i < buckets; i++)
		for (j = 0; j < FLOWS_PER_BUCKET; j++)
			kept += table[i].flows[j].hash != 0;
	free(table);
	assert_true(kept >= size / 100 * 96);
}

static void a_hash_is_never_empty(void **unused)
{
	struct packet packet = {.protocol = IPPROTO_TCP};
	int port;

	(void)unused;
	for (port = 0; port < 65536; port++) {
		packet.source_port = bpf_htons(port);
		assert_true(flow_hash(&packet));
		/* The table's half is what hash_flow() says. */
		assert_int_equal(flow_hash(&packet) >> 32, hash_flow(&packet));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_where_it_is),
		cmocka_unit_test(placed),
		cmocka_unit_test(rarely_evicted),
		cmocka_unit_test(a_hash_is_never_empty),
	};

	return RUN("flows", tests);
}
