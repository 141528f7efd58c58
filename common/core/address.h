/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * address.h - addresses of both families as one type (see struct addr)
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/inline.h"

#define V4_MAPPED bpf_htonl(0xffff)

INLINE void addr_set_v4(struct addr *addr, __be32 v4)
{
	addr->w[0] = 0;
	addr->w[1] = 0;
	addr->w[2] = V4_MAPPED;
	addr->w[3] = v4;
}

INLINE void addr_set_v6(struct addr *addr, const __be32 *v6)
{
	addr->w[0] = v6[0];
	addr->w[1] = v6[1];
	addr->w[2] = v6[2];
	addr->w[3] = v6[3];
}

INLINE int addr_equal(const struct addr *a, const struct addr *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) |
		 (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]));
}

INLINE int addr_is_v4(const struct addr *addr)
{
	return addr->w[2] == V4_MAPPED && !addr->w[0] && !addr->w[1];
}

/*
 * Any of IPv4, 2000::/3 and fc00::/7: what clients have. A kernel routes IPv6
 * packets of other sources (link-local, multicast, ...) differently or not.
 */
INLINE int addr_is_usual(const struct addr *addr)
{
	if (!addr->w[0])
		return addr->w[2] == V4_MAPPED && !addr->w[1];
	return (addr->w[0] & bpf_htonl(0xe0000000)) == bpf_htonl(0x20000000) ||
	       (addr->w[0] & bpf_htonl(0xfe000000)) == bpf_htonl(0xfc000000);
}

/*
 * MAC addresses lie at even addresses, in frames as in maps. Untold, the
 * compiler takes them byte by byte.
 */
#define MAC(address) __builtin_assume_aligned(address, 2)

/* A MAC address as a number, to be compared and for nothing else. */
INLINE __u64 mac_number(const __u8 *mac)
{
	__u16 w[3];

	__builtin_memcpy(w, MAC(mac), sizeof(w));
	return (__u64)w[0] << 32 | (__u32)w[1] << 16 | w[2];
}

INLINE void mac_copy(__u8 *to, const __u8 *from)
{
	__builtin_memcpy(MAC(to), MAC(from), 6);
}
