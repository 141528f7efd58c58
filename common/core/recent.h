/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recent.h - the flows that send just now
 *
 * The flow table is as large as there may be flows, and a packet of one out of
 * many waits for its line to come from memory. So what the table said is kept
 * in a second one, so small (1 MiB) that it stays in a CPU's own cache.
 *
 * It holds for a span of time and for a generation, and then all at once no
 * longer: the flow table is asked again, and so learns that the flow lives. A
 * flow that is selected anew within them is taken out of it.
 *
 * A flow is one word: 48 bits of its hash, mixed with span and generation; two
 * bits of the span, for room is made by those of an older one only (so more
 * flows than there are places leave those alone that have one); and the index
 * of its backend.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/hash.h"

#define RECENT_BACKEND ((__u64)BACKEND_SLOTS - 1)
#define RECENT_SPAN    ((__u64)3 << 14)
#define RECENT_FLOW    (~(__u64)0 << 16)
_Static_assert(RECENT_BACKEND + RECENT_SPAN + RECENT_FLOW == ~(__u64)0,
	       "a word has no more");

INLINE __u32 recent_number(__u64 hash)
{
	return hash_slot((__u32)hash, RECENT_BUCKETS);
}

/* The word of a flow, without its backend. `now` in jiffies. */
INLINE __u64 recent_word(__u64 hash, const struct generation *generation,
			 __u64 now)
{
	__u64 span = now >> (generation->recent_shift & 63);
	__u64 salt =
		(span + (generation->number << 32)) * 0x9e3779b97f4a7c15ULL;

	return ((hash ^ salt) & RECENT_FLOW) | (span << 14 & RECENT_SPAN);
}

/* The index of the flow's backend, or -1. */
INLINE int recent_find(const struct recent_bucket *bucket, __u64 word)
{
	__u64 backend;
	int i;

	for (i = 0; i < RECENT_PER_BUCKET; i++) {
		backend = bucket->flows[i] ^ word;
		if (backend <= RECENT_BACKEND)
			return backend;
	}
	return -1;
}

/* Where there is room. */
INLINE void recent_add(struct recent_bucket *bucket, __u64 word, __u32 backend)
{
	int i;

	for (i = 0; i < RECENT_PER_BUCKET; i++) {
		if (!bucket->flows[i] ||
		    (bucket->flows[i] ^ word) & RECENT_SPAN) {
			bucket->flows[i] = word | (backend & RECENT_BACKEND);
			return;
		}
	}
}

INLINE void recent_forget(struct recent_bucket *bucket, __u64 word)
{
	int i;

	for (i = 0; i < RECENT_PER_BUCKET; i++) {
		if ((bucket->flows[i] ^ word) <= RECENT_BACKEND)
			bucket->flows[i] = 0;
	}
}
