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
 * Each SYN writes here, so the notes must not wait for memory: 256 KiB for all
 * CPUs stay in the second-level cache of one. A bucket is one cache line of
 * eight notes, the newest first; of 16,384 handshakes under way, 1 in 20 has
 * lost its note at the most. A note is one word: 34 bits of its name, 16 of the
 * time, and the index of the backend. What two CPUs write at once may cost a
 * note, and makes no wrong one.
 *
 * A note's name is the flow's hash (other bits of it say which bucket). The
 * note of a SYN is named by the next sequence number, too: only who sent the
 * SYN, or sees the flow's packets, sends the packet that finds it. So a SYN
 * that somebody else writes in a client's name takes nothing away: neither the
 * client's handshake, nor a flow that is remembered. (By trying, he moves a
 * flow whose backend gets no new flows with a chance of 8 in 2^32 for each of
 * its packets: a bucket has no more notes.)
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/hash.h"

/* How long a TCP flow's note holds: longer than SYNs are repeated. */
#define BEGUN_SECONDS 60

/* The time is in units of 2^8 jiffies, and begins anew after 2^24 of them (4.6
 * hours at 1000 Hz): a note as old as that counts as new. */
#define BEGUN_UNIT    8
#define BEGUN_TIME    14 /* where it begins */
#define BEGUN_FLOW    30 /* where the hash begins */
#define BEGUN_BACKEND ((__u64)BACKEND_INDEXES - 1)
_Static_assert(BACKEND_INDEXES == 1 << BEGUN_TIME, "a note has no more");

INLINE __u32 begun_number(__u64 hash)
{
	return hash_slot(hash >> 32, BEGUN_BUCKETS);
}

/*
 * The name of the note of a SYN, after which the client goes on at `sequence`
 * (host order). Of one flow no two are alike, nor like the flow's hash: 34 bits
 * hold them all.
 */
INLINE __u64 begun_by_syn(__u64 hash, __u32 sequence)
{
	return hash + ((__u64)1 << 33 | (__u64)sequence << 1);
}

/* Never 0, as a flow's hash is odd, and so are names. `backend`: its index. */
INLINE __u64 begun_note(__u64 name, __u32 backend, __u64 now)
{
	return name << BEGUN_FLOW |
	       (__u64)(__u16)(now >> BEGUN_UNIT) << BEGUN_TIME |
	       (backend & BEGUN_BACKEND);
}

/* Of one name? */
INLINE int begun_is(__u64 note, __u64 other)
{
	return !((note ^ other) >> BEGUN_FLOW);
}

/* `backend`: its index. `now` in jiffies. */
INLINE void begun_write(struct begun_bucket *bucket, __u64 name, __u32 backend,
			__u64 now)
{
	__u64 note = begun_note(name, backend, now), next = note, old;
	int i;

	for (i = 0; i < BEGUN_PER_BUCKET; i++) {
		old = bucket->notes[i];
		bucket->notes[i] = next;
		if (begun_is(old, note))
			return;
		next = old;
	}
}

/*
 * The index of the backend, or -1: no packet has come, or longer than `span`
 * jiffies ago (and two units, at most).
 */
INLINE int begun_find(const struct begun_bucket *bucket, __u64 name, __u64 now,
		      __u64 span)
{
	__u64 wanted = begun_note(name, 0, now), note;
	__u16 age;
	int i;

	for (i = 0; i < BEGUN_PER_BUCKET; i++) {
		note = bucket->notes[i];
		if (!begun_is(note, wanted))
			continue;
		/* Another CPU may be a unit ahead. */
		age = (wanted >> BEGUN_TIME) - (note >> BEGUN_TIME) + 1;
		return age > (span >> BEGUN_UNIT) + 2
			       ? -1
			       : (int)(note & BEGUN_BACKEND);
	}
	return -1;
}
