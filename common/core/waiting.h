/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * waiting.h - the Ethernet header by which xdp_lbr leaves a packet to
 * lbr_waiting, because its next hop has no MAC address yet
 *
 *	destination: this host's secret    source: the backend
 *
 * The packet is otherwise ready to be sent. No host has the secret as its
 * address, so the kernel takes no such packet for its own if lbr_waiting is not
 * there (generic mode: since Linux 5.13). And nobody else can write such a
 * header, for none ever leaves the host.
 */
#pragma once

#include <linux/if_ether.h>

#include "common/core/address.h"

/* No station has a source address with the group bit (IEEE 802.3, 3.2.3). */
#define WAITING_SOURCE 0xff03

struct waiting {
	__u8 destination[ETH_ALEN];
	__be16 source; /* WAITING_SOURCE */
	__u32 backend; /* struct backend.id */
};
_Static_assert(sizeof(struct waiting) == 2 * ETH_ALEN, "waiting");

/* `secret`: 46 bits of it become a unicast address, locally administered. */
INLINE void waiting_write(struct waiting *waiting, __u64 secret, __u32 backend)
{
	__u32 i;

	for (i = 0; i < ETH_ALEN; i++)
		waiting->destination[i] = (__u8)(secret >> 8 * i);
	waiting->destination[0] = (waiting->destination[0] & 0xfc) | 2;
	waiting->source = WAITING_SOURCE;
	waiting->backend = backend;
}
