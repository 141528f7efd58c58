/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * begun.h - the flows of which one packet has come
 *
 * A packet proves nothing: its source address may be anybody's. So the first
 * one of a flow takes no way of the flow table and no share of `insert-limit`;
 * it leaves a note here of where it went, and the second one, which finds the
 * note, is remembered. A flood of single packets overwrites notes, and that is
 * all: a packet that finds none counts as the first again, and goes by the
 * table.
 *
 * The second packet follows the note, so a handshake that a change of the pool
 * meets in the middle stays with the backend that had the SYN.
 *
 * 2 MiB for all CPUs, four notes to a bucket; the oldest makes room. A note's
 * two words are no atomic pair, so the first is the flow's hash XOR the second:
 * of one that two CPUs write at once no flow is found (as in Hyatt and Mann, A
 * lock-less transposition table implementation, 2002).
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/age.h"
#include "common/core/hash.h"

/* How long a TCP flow's note holds: longer than SYNs are repeated. */
#define BEGUN_SECONDS 60

INLINE __u32 begun_number(__u64 hash)
{
	return hash_slot(hash >> 32, BEGUN_BUCKETS);
}

/* The flow's note, 0 where it has none. */
INLINE __u64 begun_note(const struct begun *begun, __u64 hash)
{
	__u64 note = *(const volatile __u64 *)&begun->note;
	__u64 check = *(const volatile __u64 *)&begun->check;

	return (check ^ note) == hash ? note : 0;
}

/* `backend`: struct backend.id. `now` in jiffies, the low half. */
INLINE void begun_write(struct begun_bucket *bucket, __u64 hash, __u32 backend,
			__u32 now)
{
	__u64 note = (__u64)backend << 32 | now, rank, highest = 0;
	int i, way = 0;

	for (i = 0; i < BEGUN_PER_BUCKET; i++) {
		const struct begun *begun = &bucket->flows[i];

		rank = age_low(now, (__u32)begun->note);
		if (begun_note(begun, hash))
			rank = 2ULL << 32;
		else if (!begun->note)
			rank = 1ULL << 32;
		if (rank > highest) {
			highest = rank;
			way = i;
		}
	}
	*(volatile __u64 *)&bucket->flows[way].check = hash ^ note;
	*(volatile __u64 *)&bucket->flows[way].note = note;
}

/* The id of the backend; 0: no packet has come, or longer than `span` ago. */
INLINE __u32 begun_find(const struct begun_bucket *bucket, __u64 hash,
			__u32 now, __u64 span)
{
	__u64 note;
	int i;

	for (i = 0; i < BEGUN_PER_BUCKET; i++) {
		note = begun_note(&bucket->flows[i], hash);
		if (note)
			return age_low(now, (__u32)note) > span ? 0
								: note >> 32;
	}
	return 0;
}
