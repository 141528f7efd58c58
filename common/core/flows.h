/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.h - the flow table: remembered flow -> backend
 *
 * The kernel's LRU hash map takes three cache lines for each lookup, and they
 * are what a packet waits for once there are many flows. Here a flow has one
 * line: its bucket, of four places. It is known by its hash, of 64 bits: two
 * flows of one hash would share a backend, which is what the hash is for.
 *
 * Where a bucket is full, the flow whose packets are the longest ago makes
 * room. There are twice as many places as flow-table-size says, so that this
 * is rare before the table is full (1 in 27 at exactly that size).
 *
 * CPUs write without a lock. A flow comes in by one CPU, as a rule; where two
 * meet in a bucket, the worst is that a flow is remembered twice or not at
 * all, and its next packet mends that.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/age.h"
#include "common/core/hash.h"

/* Buckets for `size` flows. */
INLINE __u32 flow_buckets(__u32 size)
{
	return (size + 1) / 2;
}

/* A flow as the table knows it. Never 0: that is an empty place. */
INLINE __u64 flow_hash(const struct packet *packet)
{
	return hash_packet(packet) | 1;
}

INLINE __u32 flow_bucket(__u64 hash, __u32 buckets)
{
	return hash_slot((__u32)hash, buckets);
}

/* The place of the flow in its bucket, or -1. */
INLINE int flow_find(const struct flow_bucket *bucket, __u64 hash)
{
	int i;

	for (i = 0; i < FLOWS_PER_BUCKET; i++) {
		if (bucket->flows[i].hash == hash)
			return i;
	}
	return -1;
}

/*
 * The place where the flow is to be written: its own, else an empty one, else
 * the one that was seen last the longest ago. `now` in jiffies, the low half.
 */
INLINE int flow_place(const struct flow_bucket *bucket, __u64 hash, __u32 now)
{
	__u64 rank, highest = 0;
	int i, place = 0;

	for (i = 0; i < FLOWS_PER_BUCKET; i++) {
		const struct flow *flow = &bucket->flows[i];

		if (flow->hash == hash)
			rank = 2ULL << 32;
		else if (!flow->hash)
			rank = 1ULL << 32;
		else
			rank = age_low(now, flow->seen);
		if (rank > highest) {
			highest = rank;
			place = i;
		}
	}
	return place;
}
