/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * directory.h - a generation's services, found without a search
 *
 * Every packet that comes in is looked up here, also those that are for no
 * service at all. A hash map of the kernel takes 25 ns for each question, and
 * there are up to three. The services change only when a generation is built,
 * so the tool can do the work (cuckoo hashing: Pagh, Rodler 2001): each key
 * lies in one of two places that its hash names, and the program looks at
 * those two.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/address.h"
#include "common/core/hash.h"

/* What all keys of a VIP share. */
INLINE __u64 directory_vip(const struct addr *vip, __u32 seed)
{
	return hash_addr(seed, vip);
}

/* Both of a key's places at once: in the low and in the high half. */
INLINE __u64 directory_hash(__u64 vip, __be16 port, __u8 protocol)
{
	vip = hash_mix(vip, (__u64)protocol << 16 | (FORCE __u16)port);
	vip *= 0xff51afd7ed558ccdULL;
	return vip ^ vip >> 32;
}

INLINE __u32 directory_first(__u64 hash)
{
	return (__u32)hash % DIRECTORY_PLACES;
}

INLINE __u32 directory_second(__u64 hash)
{
	return (__u32)(hash >> 32) % DIRECTORY_PLACES;
}

INLINE int directory_is(const struct directory_entry *entry,
			const struct service_key *key)
{
	return addr_equal(&entry->key.vip, &key->vip) &&
	       entry->key.port == key->port &&
	       entry->key.protocol == key->protocol && entry->used;
}
