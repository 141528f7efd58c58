/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * service_table.h - a generation's table of services: two cells a lookup
 *
 * Every incoming packet is looked up here, also if it is for no service. A
 * lookup in a hash map of the kernel takes 25 ns, and there are up to three.
 * The services change only when a generation is built, so the tool can do the
 * work (cuckoo hashing: Pagh, Rodler 2001): a key lies in one of two cells that
 * its hash names, and the program looks at these two. Most packets that are for
 * no VIP need not even that: for the hash of each VIP, one bit of VIP_BITS is
 * set.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/hash.h"

INLINE __u32 service_table_bit(__u64 vip)
{
	return vip >> 52;
}
_Static_assert(VIP_BITS == 1 << (64 - 52), "service_table_bit");

INLINE int service_table_may_have(const __u64 *vips, __u64 vip)
{
	__u32 bit = service_table_bit(vip);

	return vips[bit / 64] >> bit % 64 & 1;
}

/*
 * Both cells of a key: in the low and in the high half. `vip` is its
 * hash_destination().
 */
INLINE __u64 service_table_hash(__u64 vip, __be16 port, __u8 protocol,
				__u32 seed)
{
	vip = hash_mix(vip, (__u64)seed << 32 | (__u64)protocol << 16 |
				    (FORCE __u16)port);
	vip *= 0xff51afd7ed558ccdULL;
	return vip ^ vip >> 32;
}

INLINE __u32 service_table_first(__u64 hash)
{
	return (__u32)hash % SERVICE_CELLS;
}

INLINE __u32 service_table_second(__u64 hash)
{
	return (__u32)(hash >> 32) % SERVICE_CELLS;
}

/* No struct service_key: it would cost the programs stack. */
INLINE int service_table_is(const struct service_cell *entry,
			    const struct addr *vip, __be16 port, __u8 protocol)
{
	return addr_equal(&entry->key.vip, vip) && entry->key.port == port &&
	       entry->key.protocol == protocol && entry->used;
}
