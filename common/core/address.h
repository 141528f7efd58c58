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
 * May this be one host's address, so that a sender may use it (RFC 1122
 * 3.2.1.3, RFC 4291 2)? IPv4: all but 0/8, 127/8 and 224/3. IPv6: all but ::/96
 * (with :: and ::1), link-local and multicast addresses. In wire order; for
 * ::ffff:0:0/96 the IPv4 address inside decides.
 */
INLINE int addr_is_host(const struct addr *addr)
{
	__u32 first = bpf_ntohl(addr->w[0]);
	__u64 octet = bpf_ntohl(addr->w[3]) >> 24; /* the first of IPv4 */

	if (!addr->w[0] && !addr->w[1]) {
		if (addr->w[2] == V4_MAPPED)
			return octet - 1 < 223 && octet != 127;
		return addr->w[2] != 0;
	}
	return first >> 24 != 0xff && first >> 22 != 0xfe80 >> 6;
}

/*
 * MAC addresses lie at even addresses, in frames and in maps. Without this hint
 * the compiler copies them byte by byte.
 */
#define MAC(address) __builtin_assume_aligned(address, 2)

/* A MAC address as a number, only to be compared. */
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
