/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.h - the flow table: remembered flow -> backend
 *
 * A lookup in the kernel's LRU hash map touches three cache lines, and with
 * many flows these are what a packet waits for. Here a flow needs one line: its
 * bucket, of four ways. A flow is identified by a hash of 64 bits, with a key
 * that lives as long as the table.
 *
 * If a bucket is full, the flow whose last packet is oldest is replaced. There
 * are twice as many ways as flow-table-size says, so that this is rare before
 * the table is full (1 in 27 at exactly that size).
 *
 * CPUs write without a lock. As a rule all packets of a flow come in by one
 * CPU. If two CPUs meet in a bucket, the worst is that a flow is remembered
 * twice or not at all, which its next packet repairs.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/age.h"
#include "common/core/hash.h"
#include "common/core/verifier.h"

/* The number of buckets for `size` flows. */
INLINE __u32 flow_buckets(__u32 size)
{
	return (size + 1) / 2;
}

/*
 * How the table identifies a flow: by its ends and protocol, whatever its
 * service is today. Never 0, which is an empty way. Of the VIP it takes a hash
 * that is no secret, because anybody may know which VIPs there are.
 *
 * `keys` are secret, so that nobody can make a flow that is taken for another,
 * or that falls into another's bucket. Before compression, the words are
 * combined with the keys (NH, of UMAC, RFC 4418 5.2, with 64-bit keys): for any
 * two flows, the difference of the two sums is the difference of two words,
 * times a key that no other term has, plus something else. How often that is 0
 * depends on how many low bits the words have in common: at most 15 in one of
 * the two byte orders that are summed. So two flows chosen by somebody without
 * the keys collide with a chance of at most 2^-49, and usually 2^-63. The hash
 * is not safe if it is shown: no bit of it leaves the host.
 *
 * (An unkeyed hash permuted with a key would not do: flows with equal hashes
 * would have equal hashes under any key.)
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
	/* The low bits of a sum of products depend on low bits only. */
	hash ^= hash >> 32;
	hash *= 0xff51afd7ed558ccdULL;
	return (hash ^ hash >> 32) | 1;
}

INLINE __u32 flow_bucket(__u64 hash, __u32 buckets)
{
	return hash_slot((__u32)hash, buckets);
}

/* The flow's way in its bucket, or -1. */
INLINE int flow_find(const struct flow_bucket *bucket, __u64 hash)
{
	__u64 ways = 0;
	int i;

	for (i = 0; i < FLOWS_PER_BUCKET; i++)
		ways |= is_zero(bucket->flows[i].hash ^ hash) << i;
	return ways ? (int)first_of_four(ways) : -1;
}
_Static_assert(FLOWS_PER_BUCKET == 4, "first_of_four()");

/* Is it remembered? Not yet, as long as only SYNs have come. */
INLINE int flow_is_known(const struct flow *flow)
{
	return flow->hash && !(flow->backend & FLOW_BEGINS);
}

/*
 * For how long after its last packet a known flow counts as in use. UDP: `idle`
 * jiffies. TCP: `young` jiffies if the client has ended the flow, else
 * FLOW_SILENT times that (2 h 4 min, RFC 5382, if `young` is 5 s).
 */
#define FLOW_SILENT 1488

INLINE __u64 flow_span(const struct flow *flow, __u64 young, __u64 idle)
{
	__u64 is_tcp = is_zero(flow->backend & FLOW_UDP);
	__u64 goes_on = is_zero(flow->backend & FLOW_ENDS);

	return either(is_tcp, either(goes_on, young * FLOW_SILENT, young),
		      idle);
}

/*
 * How fit a way is to be written to; 0: it is not. See flow_way(). No branch:
 * each would be verified four times, in each combination with the others.
 */
INLINE __u64 flow_rank(const struct flow *flow, __u64 hash, __u32 now,
		       int begins, __u64 young, __u64 idle)
{
	__u64 age = age_low(now, flow->seen);
	__u64 is_more = is_zero(flow->backend & FLOW_BEGINS);
	__u64 span = either(is_more, flow_span(flow, young, idle), young);
	__u64 is_free = is_less(span, age) | is_zero(begins);
	__u64 rank = is_free * ((2 - is_more) << 32 | age);

	rank = either(is_zero(flow->hash), 3ULL << 32, rank);
	return either(is_zero(flow->hash ^ hash), 4ULL << 32, rank);
}

/*
 * The way to write the flow to: its own, else an empty one, else one that only
 * begins, else the one whose last packet is oldest. `now`: the low half of
 * jiffies.
 *
 * If the flow itself only `begins`, it replaces no flow in use, nor one that
 * began less than `young` jiffies ago: then -1. So a flood of SYNs takes only
 * what nobody uses, and handshakes under way stay.
 */
INLINE int flow_way(const struct flow_bucket *bucket, __u64 hash, __u32 now,
		    int begins, __u64 young, __u64 idle)
{
	__u64 rank, highest = 0, better, way = -1;
	int i;

	for (i = 0; i < FLOWS_PER_BUCKET; i++) {
		rank = flow_rank(&bucket->flows[i], hash, now, begins, young,
				 idle);
		better = is_less(highest, rank);
		highest = either(better, rank, highest);
		way = either(better, i, way);
	}
	return (int)way;
}
