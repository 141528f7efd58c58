// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bucket of the flow table: what is found in it, and which entry makes room.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_packets.h"
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
	/* All 64 bits identify the flow. */
	assert_int_equal(flow_find(&bucket, 1ULL << 32 | 11), -1);
}

static void placed(void **unused)
{
	static const struct {
		const char *name;
		__u64 hashes[4];
		__u32 seen[4], now;
		int way;
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
		int way = flow_way(&bucket, 9, rows[i].now, 0, 0, 0);

		if (way != rows[i].way)
			fail_msg("%s: way %d, not %d", rows[i].name, way,
				 rows[i].way);
	}
}

/*
 * Twice as many ways as flows: how many of 100,000 random flows push each other
 * out.
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

		bucket->flows[flow_way(bucket, hash, i, 0, 0, 0)] =
			(struct flow){hash, 1, i};
	}
	for (i = 0; i < buckets; i++)
		for (j = 0; j < FLOWS_PER_BUCKET; j++)
			kept += table[i].flows[j].hash != 0;
	free(table);
	assert_true(kept >= size / 100 * 96);
}

enum { B = FLOW_BEGINS };

static const struct {
	const char *name;
	__u64 hashes[4];
	__u32 backends[4], seen[4];
	int known, begins; /* the way: of a known flow, or for a new one */
} rows[] = {
	{"an empty bucket", {0}, {0}, {0}, 0, 0},
	{"its own", {1, 2, 9, 0}, {1, 1, 1 | B, 0}, {0}, 2, 2},
	{"its own, known", {1, 2, 9, 0}, {1, 1, 1, 0}, {0}, 2, 2},
	{"all known", {1, 2, 3, 4}, {1, 1, 1, 1}, {9, 8, 7, 9}, 2, -1},
	{"a young one that begins",
	 {1, 2, 3, 4},
	 {1, 1 | B, 1, 1},
	 {0, 95, 0, 0},
	 1,
	 -1},
	{"an old one that begins",
	 {1, 2, 3, 4},
	 {1, 1, 1, 1 | B},
	 {0, 0, 0, 94},
	 3,
	 3},
	{"one that has ended",
	 {1, 2, 3, 4},
	 {1, 1 | FLOW_ENDS, 1, 1},
	 {0, 94, 0, 0},
	 0,
	 1},
	{"one that has just ended",
	 {1, 2, 3, 4},
	 {1, 1 | FLOW_ENDS, 1, 1},
	 {0, 95, 0, 0},
	 0,
	 -1},
	{"one that has been silent for hours",
	 {1, 2, 3, 4},
	 {1, 1, 1, 1},
	 {0, 0, 0, 100 - 5 * 1488 - 1},
	 3,
	 3},
	{"one of UDP that is idle",
	 {1, 2, 3, 4},
	 {1, 1, 1 | FLOW_UDP, 1},
	 {80, 81, 89, 82},
	 0,
	 2},
	{"one of UDP that is not",
	 {1, 2, 3, 4},
	 {1, 1, 1 | FLOW_UDP, 1},
	 {80, 81, 90, 82},
	 0,
	 -1},
	{"the older of two that begin",
	 {1, 2, 3, 4},
	 {1 | B, 1, 1 | B, 1},
	 {90, 0, 80, 0},
	 2,
	 2},
};

/*
 * A new flow takes a way that is empty, or that another new flow took long ago.
 */
static void begins(void **unused)
{
	size_t i;
	int j;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_bucket bucket =
			bucket_of(rows[i].hashes, rows[i].seen);

		for (j = 0; j < FLOWS_PER_BUCKET; j++)
			bucket.flows[j].backend = rows[i].backends[j];
		if (flow_way(&bucket, 9, 100, 0, 5, 10) != rows[i].known ||
		    flow_way(&bucket, 9, 100, 1, 5, 10) != rows[i].begins)
			fail_msg("%s", rows[i].name);
		assert_int_equal(!!flow_is_known(&bucket.flows[0]),
				 rows[i].hashes[0] &&
					 !(rows[i].backends[0] & B));
	}
}

static void keys_of(uint64_t *state, __u64 *keys)
{
	int i;

	for (i = 0; i < FLOW_KEYS; i++)
		keys[i] = draw(state);
}

/* Each bit of a flow flips each bit of its hash about every second time. */
static void every_bit_counts(void **unused)
{
	enum { TRIES = 4096, BITS = 128 + 16 + 16 + 8 + 128 };
	static int flips[BITS][64];
	struct packet packet = {0}, other;
	__u64 keys[FLOW_KEYS], hash, changed;
	uint64_t state = 3;
	__u32 bit, out;
	int i;

	(void)unused;
	for (i = 0; i < TRIES; i++) {
		keys_of(&state, keys);
		for (bit = 0; bit < 4; bit++) {
			packet.source.w[bit] = (__be32)draw(&state);
			packet.destination.w[bit] = (__be32)draw(&state);
		}
		packet.source_port = (__be16)draw(&state);
		packet.port = (__be16)draw(&state);
		packet.protocol = (__u8)draw(&state);
		hash = flow_hash(&packet, keys);
		assert_true(hash & 1); /* never an empty way */
		for (bit = 0; bit < BITS; bit++) {
			other = packet;
			if (bit < 128)
				other.source.w[bit / 32] ^= 1u << bit % 32;
			else if (bit < 144)
				other.source_port ^= 1u << (bit - 128);
			else if (bit < 160)
				other.port ^= 1u << (bit - 144);
			else if (bit < 168)
				other.protocol ^= 1u << (bit - 160);
			else
				other.destination.w[(bit - 168) / 32] ^=
					1u << (bit - 168) % 32;
			changed = hash ^ flow_hash(&other, keys);
			for (out = 1; out < 64; out++)
				flips[bit][out] += changed >> out & 1;
		}
	}
	for (bit = 0; bit < BITS; bit++)
		for (out = 1; out < 64; out++)
			if (flips[bit][out] < TRIES * 2 / 5 ||
			    flips[bit][out] > TRIES * 3 / 5)
				fail_msg("bit %u flips bit %u %d of %d times",
					 bit, out, flips[bit][out], TRIES);
}

/*
 * With a key for which the sum in one byte order ignores a word, the sum in the
 * other order still tells flows apart by it. The same holds for a word's high
 * bits, on which one sum alone hardly depends.
 */
static void both_orders_count(void **unused)
{
	struct packet packet = {0}, other;
	__u64 keys[FLOW_KEYS];
	uint64_t state = 5;
	int i, bit, order;
	__u32 word;

	(void)unused;
	for (i = 0; i < 1000; i++) {
		for (order = 0; order < 2; order++) {
			keys_of(&state, keys);
			for (bit = 0; bit < 4; bit++)
				packet.source.w[bit] = (__be32)draw(&state);
			word = (FORCE __u32)packet.source.w[1];
			if (order)
				word = __builtin_bswap32(word);
			keys[order * FLOW_KEYS / 2 + 1] = -(__u64)word;
			for (bit = 0; bit < 32; bit++) {
				other = packet;
				other.source.w[0] ^= 1u << bit;
				assert_true(flow_hash(&packet, keys) !=
					    flow_hash(&other, keys));
			}
		}
	}
}

/* Consecutive flows are spread over the buckets as by chance. */
static void spread(void **unused)
{
	enum { FLOWS = 65536, BUCKETS = 16384, KEYS = 20 };
	static int hits[BUCKETS];
	__u64 keys[FLOW_KEYS];
	uint64_t state = 4;
	double sum, least = 1e9, most = 0;
	int key, n, walk;

	(void)unused;
	for (key = 0; key < KEYS; key++) {
		keys_of(&state, keys);
		for (walk = 0; walk < 2; walk++) {
			memset(hits, 0, sizeof(hits));
			for (n = 0; n < FLOWS; n++) {
				struct packet packet = {0};

				addr_set_v4(&packet.source,
					    bpf_htonl(0x0a000000 +
						      (walk ? n : n >> 8)));
				packet.source_port =
					bpf_htons((__u16)(walk ? 40000 : n));
				hits[flow_bucket(flow_hash(&packet, keys),
						 BUCKETS)]++;
			}
			for (sum = 0, n = 0; n < BUCKETS; n++)
				sum += (hits[n] - 4.0) * (hits[n] - 4.0) / 4.0;
			least = sum < least ? sum : least;
			most = sum > most ? sum : most;
		}
	}
	/*
	 * Chi squared with 16383 degrees of freedom: 181 is a standard
	 * deviation.
	 */
	assert_true(least > 16383 - 6 * 181 && most < 16383 + 6 * 181);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_where_it_is), cmocka_unit_test(placed),
		cmocka_unit_test(rarely_evicted),    cmocka_unit_test(begins),
		cmocka_unit_test(every_bit_counts),  cmocka_unit_test(spread),
		cmocka_unit_test(both_orders_count),
	};

	return RUN("flows", tests);
}
