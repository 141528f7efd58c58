/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vlan.h - VLAN tags: 802.1Q, and 802.1ad in front of it (QinQ)
 *
 * A tag in a frame is its protocol and 16 bits: priority (3), drop eligible (1)
 * and the VLAN (12). struct vlan has what says where a frame belongs: the
 * protocol and the VLAN.
 */
#pragma once

#include <linux/if_ether.h>

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/inline.h"

#define TAGS_MOST    2
#define TAG_PRESENT  0x8000
#define TAG_SERVICE  0x4000 /* 802.1ad */
#define TAG_VLAN     0x0fff
#define TCI_PRIORITY bpf_htons(0xf000)

/* As it lies in a frame, behind the protocol that announces it. */
struct tag {
	__be16 tci;
	__be16 protocol; /* of what follows */
};
_Static_assert(sizeof(struct tag) == 4, "tag");

INLINE int is_tag(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) ||
	       protocol == bpf_htons(ETH_P_8021AD);
}

INLINE __u16 tag_read(__be16 protocol, __be16 tci)
{
	__u16 service = protocol == bpf_htons(ETH_P_8021AD) ? TAG_SERVICE : 0;

	return TAG_PRESENT | service | (bpf_ntohs(tci) & TAG_VLAN);
}

INLINE __be16 tag_protocol(__u16 tag)
{
	return tag & TAG_SERVICE ? bpf_htons(ETH_P_8021AD)
				 : bpf_htons(ETH_P_8021Q);
}

/* Both tags as one number, to be compared and passed on. */
INLINE __u32 vlan_number(const struct vlan *vlan)
{
	return (__u32)vlan->outer << 16 | vlan->inner;
}

/* Bytes that the tags take in a frame. */
INLINE __u32 vlan_size(__u32 vlan)
{
	return (vlan >> 31) * sizeof(struct tag) +
	       ((vlan >> 15) & 1) * sizeof(struct tag);
}
