/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_table.h - the table of translated flows: two ways to a row
 *
 *	client's packet:  flow_hash()  ->  nat_bucket  ->  row
 *	backend's packet: its ends     ->  row
 *
 * Laws: no two flows have one port of one source at one backend's port; a flow
 * that is alive keeps its row; no lock is needed, and no process.
 *
 * The row of a backend's packet is computed, not searched for: there is exactly
 * one for each port of a source. A flow that begins tries ports until a row is
 * free, and takes it by exchanging its state for exactly the one that it has
 * read: of two CPUs, one succeeds. (A hash map with BPF_NOEXIST is as exclusive
 * for a new key; but taking the place of an expired one needs a deletion, which
 * may delete what another CPU has just written.)
 *
 * Writing a row: take it, fill it in, open it, enter it in the index. Reading
 * needs no second look at the state: see nat.h, "rests".
 */
#pragma once

#include "common/core/hash.h"
#include "common/core/nat.h"

/*
 * How many ports a new flow tries. With 7 of 8 rows taken, 1 of 5,000 flows
 * finds none; with 3 of 4, 1 of 10^8.
 */
#define NAT_TRIES 64

/*
 * Where a backend's ports begin: the ports of one source follow each other, so
 * that they never meet in a row (the number of rows is a power of two, and at
 * least NAT_LEAST_ROWS).
 */
#define NAT_LEAST_ROWS 65536
INLINE __u32 nat_base(const struct addr *source, const struct addr *backend,
		      __be16 backend_port, __u8 protocol)
{
	__u64 hash = hash_addr(protocol, backend);

	hash = hash_addr(hash ^ bpf_ntohs(backend_port), source);
	return (hash * 0xff51afd7ed558ccdULL) >> 32;
}

INLINE __u32 nat_row_of(__u32 base, __be16 port, __u32 rows)
{
	return (base + bpf_ntohs(port)) & (rows - 1);
}

/*
 * The port that the flow tries at the `number`th try. Each try is somewhere
 * else: of ports that follow each other, many are taken where one is.
 */
INLINE __be16 nat_port(const struct nat_source *source, __u64 hash,
		       __u32 number)
{
	__u64 at = hash + number * 0x9e3779b97f4a7c15ULL;

	at = ((at ^ at >> 32) * 0xff51afd7ed558ccdULL) >> 32;

	return bpf_htons(
		(__u16)(source->first + hash_slot((__u32)at, source->count)));
}

INLINE union nat_state nat_state_of(const struct nat_row *row)
{
	return (union nat_state){.word = *(const volatile __u64 *)&row->state};
}

/* Is it still `was`? Then it becomes `state`. */
INLINE int nat_exchange(struct nat_row *row, union nat_state was,
			union nat_state state)
{
	return __sync_val_compare_and_swap(&row->state, was.word, state.word) ==
	       was.word;
}

/* Takes a row that is free; `was`: its state. False: another CPU did. */
INLINE int nat_take(struct nat_row *row, union nat_state was, __u8 protocol,
		    __u8 source, __u32 now)
{
	union nat_state state = {.seen = now,
				 .phase = NAT_TAKEN,
				 .protocol = protocol,
				 .source = source,
				 .turn = was.turn + 1};

	return nat_exchange(row, was, state);
}

/* The taken row is filled in: it is a flow. */
INLINE void nat_publish(struct nat_row *row)
{
	union nat_state taken = nat_state_of(row), state = taken;

	state.phase = NAT_OPEN;
	nat_exchange(row, taken, state);
}

/*
 * The row that was just opened is given up. Its port rests: another CPU may
 * have found it in the index, and sent a packet from it.
 */
INLINE void nat_give_up(struct nat_row *row)
{
	union nat_state opened = nat_state_of(row), state = opened;

	state.phase = NAT_TAKEN;
	nat_exchange(row, opened, state);
}

/*
 * Notes a packet of a flow that is alive. Most change nothing: the time is
 * written once a second. False: another CPU wrote meanwhile; read it again.
 */
INLINE int nat_note(struct nat_row *row, union nat_state was, __u8 phase,
		    __u32 now, const struct nat_times *times)
{
	union nat_state state = was;

	if (phase == was.phase && age_low(now, was.seen) < times->second)
		return 1;
	state.phase = phase;
	state.seen = now;
	return nat_exchange(row, was, state);
}

/* Is it the row of this packet of a client? */
INLINE int nat_is_forward(const struct nat_row *row,
			  const struct packet *packet)
{
	union nat_state state = nat_state_of(row);

	return !(row->client_port ^ packet->source_port) &&
	       row->vip_port == packet->port &&
	       state.protocol == packet->protocol &&
	       addr_equal(&row->client, &packet->source) &&
	       addr_equal(&row->vip, &packet->destination);
}

/* An entry of the index for this flow and row. */
INLINE __u64 nat_entry(__u64 hash, __u32 row)
{
	return hash >> 32 << 32 | (row + 1);
}

/* The two buckets that may have it: `which` is 0 or 1. */
INLINE __u32 nat_bucket_of(__u64 hash, __u32 which, __u32 buckets)
{
	__u32 low = (__u32)hash;

	if (which)
		low = (low ^ (__u32)(hash >> 32)) * 0x9e3779b1U;
	return hash_slot(low, buckets);
}

/* The row of entry `i`, if it may be the flow's, or -1. */
INLINE __s64 nat_candidate(const struct nat_bucket *bucket, __u32 i, __u64 hash)
{
	__u64 entry = *(const volatile __u64 *)&bucket->entry[i];

	if (!(__u32)entry || (entry ^ hash) >> 32)
		return -1;
	return (__u32)entry - 1;
}

/* How many entries are empty. */
INLINE __u32 nat_room(const struct nat_bucket *bucket)
{
	__u32 room = 0;
	int i;

	for (i = 0; i < NAT_PER_BUCKET; i++)
		room += is_zero(bucket->entry[i]);
	return room;
}

/* Writes it where there is none. False: the bucket is full. */
INLINE int nat_enter(struct nat_bucket *bucket, __u64 entry)
{
	int i;

	for (i = 0; i < NAT_PER_BUCKET; i++) {
		if (!*(const volatile __u64 *)&bucket->entry[i] &&
		    !__sync_val_compare_and_swap(&bucket->entry[i], 0, entry))
			return 1;
	}
	return 0;
}

/* Removes it, if it is there. */
INLINE int nat_leave(struct nat_bucket *bucket, __u64 entry)
{
	int i;

	for (i = 0; i < NAT_PER_BUCKET; i++) {
		if (*(const volatile __u64 *)&bucket->entry[i] == entry &&
		    __sync_val_compare_and_swap(&bucket->entry[i], entry, 0) ==
			    entry)
			return 1;
	}
	return 0;
}
