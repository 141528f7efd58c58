/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * source_hash.h - by a hash of the client's address alone
 *
 * The table depends on nothing but the backends, their weights and its size,
 * and the hash on nothing but the address. So all services that agree in these
 * three send a client to the same backend.
 */
#pragma once

#include "common/core/hash.h"

INLINE __u32 source_hash_slot(const struct scheduling *from, __u32 size)
{
	__u64 hash = hash_addr(0, from->source);

	/* As hash_packet() ends: addresses differ in their low bits. */
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	return hash_slot(hash >> 32, size);
}
