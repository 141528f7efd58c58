/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.h - which packets xdp_bkd need not look for among its rows
 *
 * A lookup in the map of rows takes 25 ns, and a packet may need up to four: of
 * its port or of any, with its DSCP or with none. Most packets that are not for
 * us need none: for the protocol, port and DSCP of each row, one bit of
 * VIP_BITS is set. The address is not among them, as it is nearly always this
 * host's.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/core/inline.h"

INLINE __u32 restore_bit(const struct restore_key *key)
{
	__u64 word = (__u64)key->dscp << 24 | (__u64)key->protocol << 16 |
		     (FORCE __u16)key->port;

	return (word + 1) * 0x9e3779b97f4a7c15ULL >> 52;
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
