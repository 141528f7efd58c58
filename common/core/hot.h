/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hot.h - the hot flows, in a small cache before the flow table
 *
 * The flow table is large, so a packet of one flow out of many waits for
 * memory. What the table said lately is therefore kept in a second, small one
 * (1 MiB), which stays in a CPU's cache.
 *
 * An entry is valid for a span of time and for a generation. Then all entries
 * expire at once, and the flow table is asked again, which so learns that the
 * flow is alive. A flow that is selected anew within the span is removed.
 *
 * An entry is one entry: 48 bits of the flow's hash, mixed with span and
 * generation; two bits of the span, because only entries of an older span are
 * replaced (so that more flows than there is room for do not push each other
 * out); and the index of the backend.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/hash.h"
#include "common/core/verifier.h"

#define HOT_BACKEND ((__u64)BACKEND_INDEXES - 1)
#define HOT_SPAN    ((__u64)3 << 14)
#define HOT_FLOW    (~(__u64)0 << 16)
_Static_assert(HOT_BACKEND + HOT_SPAN + HOT_FLOW == ~(__u64)0,
	       "the fields fill an entry");

INLINE __u32 hot_number(__u64 hash)
{
	return hash_slot((__u32)hash, HOT_BUCKETS);
}

/* The entry of a flow, without its backend. `now` in jiffies. */
INLINE __u64 hot_entry(__u64 hash, const struct generation *generation,
		       __u64 now)
{
	__u64 span = now >> (generation->hot_shift & 63);
	__u64 salt =
		(span + (generation->number << 32)) * 0x9e3779b97f4a7c15ULL;

	return ((hash ^ salt) & HOT_FLOW) | (span << 14 & HOT_SPAN);
}

/* The ways that hold the flow of this entry: a bit each. */
INLINE __u64 hot_ways(const struct hot_bucket *bucket, __u64 entry)
{
	__u64 ways = 0;
	int i;

	for (i = 0; i < HOT_PER_BUCKET; i++)
		ways |= is_zero((bucket->flows[i] ^ entry) & ~HOT_BACKEND) << i;
	return ways;
}
_Static_assert(HOT_PER_BUCKET == 4, "first_of_four()");

/* The index of the flow's backend, or -1. */
INLINE int hot_find(const struct hot_bucket *bucket, __u64 entry)
{
	__u64 ways = hot_ways(bucket, entry), backend;

	if (!ways)
		return -1;
	backend = bucket->flows[WITHIN(first_of_four(ways), HOT_PER_BUCKET)] ^
		  entry;
	/* Another CPU may have written there in between. */
	return backend <= HOT_BACKEND ? (int)backend : -1;
}

/* Into a way that is empty or of an older span, if there is one. */
INLINE void hot_add(struct hot_bucket *bucket, __u64 entry, __u32 backend)
{
	__u64 ways = 0, old;
	int i;

	for (i = 0; i < HOT_PER_BUCKET; i++) {
		old = bucket->flows[i];
		ways |= (is_zero(old) | (is_zero((old ^ entry) & HOT_SPAN) ^ 1))
			<< i;
	}
	if (ways)
		bucket->flows[WITHIN(first_of_four(ways), HOT_PER_BUCKET)] =
			entry | (backend & HOT_BACKEND);
}

INLINE void hot_forget(struct hot_bucket *bucket, __u64 entry)
{
	__u64 ways = hot_ways(bucket, entry);
	int i;

	for (i = 0; i < HOT_PER_BUCKET; i++) {
		if (ways >> i & 1)
			bucket->flows[i] = 0;
	}
}
