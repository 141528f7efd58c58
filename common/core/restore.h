/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.h - the row by which xdp_bkd restores a packet: two cells a lookup
 *
 * A lookup in a hash map of the kernel takes 27 ns, which is half of what all
 * else takes that is done to a packet, and a packet may need up to four: of its
 * port or of any, with its DSCP or with none. The rows change only when a
 * generation is built, so the tool can do the work, as for service_table.h: the
 * hash of a key names two cells, and one of them has the row's index.
 *
 * Most packets that are not for us need not even that: for the protocol, port
 * and DSCP of each row, one bit of VIP_BITS is set. The address is not among
 * them, as it is nearly always this host's.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/core/verifier.h"

INLINE __u64 restore_number(const struct restore_key *key)
{
	__u64 word = (__u64)key->dscp << 24 | (__u64)key->protocol << 16 |
		     (FORCE __u16)key->port;

	return (word + 1) * 0x9e3779b97f4a7c15ULL;
}

INLINE __u32 restore_bit(const struct restore_key *key)
{
	return restore_number(key) >> 52;
}
_Static_assert(VIP_BITS == 1 << (64 - 52), "restore_bit");

INLINE void restore_mark(__u64 *bits, const struct restore_key *key)
{
	__u32 bit = restore_bit(key);

	bits[bit / 64] |= 1ULL << bit % 64;
}

/* May there be a row? */
INLINE int restore_may_be(const __u64 *bits, const struct restore_key *key)
{
	__u32 bit = restore_bit(key);

	return bits[bit / 64] >> bit % 64 & 1;
}

/*
 * Both cells of a key: in the low and in the high half. Only for tables on this
 * host. The products wait for each other as little as can be.
 */
INLINE __u64 restore_hash(const struct restore_key *key, __u32 seed)
{
	const __be32 *at = key->address.w, *in = key->inner.w;
	__u64 hash = restore_number(key);

	hash ^= ((__u64)at[0] << 32 | at[1]) * 0xbf58476d1ce4e5b9ULL;
	hash ^= ((__u64)at[2] << 32 | at[3]) * 0x94d049bb133111ebULL;
	hash ^= ((__u64)in[0] << 32 | in[1]) * 0xff51afd7ed558ccdULL;
	hash ^= ((__u64)in[2] << 32 | in[3]) * 0xc4ceb9fe1a85ec53ULL;
	hash ^= hash >> 32 ^ seed;
	hash *= 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

INLINE __u32 restore_first(__u64 hash)
{
	return (__u32)hash % RESTORE_CELLS;
}

INLINE __u32 restore_second(__u64 hash)
{
	return (__u32)(hash >> 32) % RESTORE_CELLS;
}

/* Of all differences, one question: see docs/verifier.md. */
INLINE int restore_is(const struct restore_key *a, const struct restore_key *b)
{
	__u32 difference = (FORCE __u16)(a->port ^ b->port) |
			   (a->protocol ^ b->protocol) | (a->dscp ^ b->dscp);
	int i;

	for (i = 0; i < 4; i++)
		difference |= (FORCE __u32)(a->address.w[i] ^ b->address.w[i]) |
			      (FORCE __u32)(a->inner.w[i] ^ b->inner.w[i]);
	return !difference;
}

/* A row by its index; NULL: never. */
INLINE const struct restore_row *restore_at(const struct restores *restores,
					    __u64 index)
{
	OPAQUE(index);
	if (index > MAX_RESTORES)
		return 0;
	/* Or its place is computed before the index is compared. */
	OPAQUE(index);
	return &restores->rows[index];
}

/* The row of a cell; rows[0] if there is none. NULL: never. */
INLINE const struct restore_row *restore_in(const struct restores *restores,
					    __u32 cell)
{
	KEEP_INDEX(restores, cell);
	return restore_at(restores,
			  restores->cells[WITHIN(cell, RESTORE_CELLS)]);
}

/* The key's row, or NULL. */
INLINE const struct restore_row *restore_find(const struct restores *restores,
					      const struct restore_key *key)
{
	__u64 hash = restore_hash(key, restores->seed);
	const struct restore_row *row;

	row = restore_in(restores, restore_first(hash));
	if (row && restore_is(&row->key, key))
		return row;
	row = restore_in(restores, restore_second(hash));
	return row && restore_is(&row->key, key) ? row : 0;
}
