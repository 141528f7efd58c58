/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.h - the flow table: remembered flow -> backend
 *
 * The kernel's LRU hash map takes three cache lines for each lookup, and they
 * are what a packet waits for once there are many flows. Here a flow has one
 * line: its bucket, of four places. It is known by a hash of 64 bits, with a
 * key that lives as long as the table does.
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

/*
 * A flow as the table knows it: by its ends and protocol, whatever service that
 * is today. Never 0: that is an empty way. Of the VIP there is a hash that is
 * no secret, for it is the file that says which VIPs there are.
 *
 * `keys` are secret, so that nobody can make a flow that is taken for another,
 * or that falls into another's bucket. Before they are compressed, the words
 * meet the keys (NH, of UMAC, RFC 4418 5.2, with keys of 64 bits): for any two
 * flows the difference of the two sums is the difference of two words, times a
 * key that no other term has, and something else. How often that is 0 depends
 * on how many low bits the words have in common: at most 15 in one of the two
 * byte orders that are summed up. So two flows that somebody without the keys
 * has chosen are the same with a chance of 2^-49 at the very most, and of 2^-63
 * as a rule. It does not withstand being seen: nothing that leaves the host
 * shows a bit of it.
 *
 * (An unkeyed hash, permuted with a key, would not do: flows of one hash are
 * of one hash with any key.)
 */
INLINE __u64 flow_hash(const struct packet *packet, const __u64 *keys)
{
	__u64 vip = hash_destination(&packet->destination), hash = 0;
	__u32 words[FLOW_KEYS / 2] = {
		(FORCE __u32)packet->source.w[0],
		(FORCE __u32)packet->source.w[1],
		(FORCE __u32)packet->source.w[2],
		(FORCE __u32)packet->source.w[3],
		(__u32)(FORCE __u16)packet->source_port << 16 |
			(FORCE __u16)packet->port,
		packet->protocol,
		(__u32)vip,
		vip >> 32,
	};
	int i;

	for (i = 0; i < FLOW_KEYS / 2; i += 2) {
		hash += (words[i] + keys[i]) * (words[i + 1] + keys[i + 1]);
		hash += (__builtin_bswap32(words[i]) +
			 keys[i + FLOW_KEYS / 2]) *
			(__builtin_bswap32(words[i + 1]) +
			 keys[i + FLOW_KEYS / 2 + 1]);
	}
	/* The low bits of a sum of products know of the low bits alone. */
	hash ^= hash >> 32;
	hash *= 0xff51afd7ed558ccdULL;
	return (hash ^ hash >> 32) | 1;
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

/* Is it remembered? One of which only SYNs have come is not, yet. */
INLINE int flow_is_known(const struct flow *flow)
{
	return flow->hash && !(flow->backend & FLOW_BEGINS);
}

/*
 * Is a known flow of this age in use? Not `young` jiffies after its client has
 * ended it, nor when it has been silent for FLOW_SILENT times that (2 h 4 min,
 * RFC 5382, where `young` is 5 s).
 */
#define FLOW_SILENT 1488

INLINE int flow_is_in_use(const struct flow *flow, __u64 age, __u64 young)
{
	return age <= (flow->backend & FLOW_ENDS ? young : young * FLOW_SILENT);
}

/*
 * The way where the flow is to be written: its own, else an empty one, else of
 * those that begin, else of all the one that was seen last the longest ago.
 * `now` in jiffies, the low half.
 *
 * Where the flow itself only `begins`, no flow in use makes room for it, and
 * none that begins, for `young` jiffies: then -1. So a flood of SYNs takes what
 * nobody uses and no more, and a handshake that is under way stays.
 */
INLINE int flow_place(const struct flow_bucket *bucket, __u64 hash, __u32 now,
		      int begins, __u64 young)
{
	__u64 rank, highest = 0;
	int i, place = -1;

	for (i = 0; i < FLOWS_PER_BUCKET; i++) {
		const struct flow *flow = &bucket->flows[i];

		rank = age_low(now, flow->seen);
		if (flow->hash == hash)
			rank = 4ULL << 32;
		else if (!flow->hash)
			rank = 3ULL << 32;
		else if (flow->backend & FLOW_BEGINS)
			rank = begins && rank <= young ? 0 : 2ULL << 32 | rank;
		else if (begins && flow_is_in_use(flow, rank, young))
			rank = 0;
		else
			rank = 1ULL << 32 | rank;
		if (rank > highest) {
			highest = rank;
			place = i;
		}
	}
	return place;
}
