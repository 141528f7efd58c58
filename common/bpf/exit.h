/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exit.h - the steps that both programs begin and end with
 */
#pragma once

#include <stdbool.h>

#include "common/bpf/context.h"
#include "common/bpf/maps.h"
#include "common/core/address.h"
#include "common/core/verifier.h"

/*
 * The index of a MAC address in `interfaces`, from 1 on, or -1. `mask`: the
 * bits that are compared. Not static, so that the kernel verifies the loop
 * once, and not once for each way out of it.
 */
SEPARATE int interface_index(__u32 ifindex, __u64 mac, __u64 mask)
{
	__u32 i;

	for (i = 1; i < MAX_INTERFACES; i++) {
		__u32 key = i;
		struct interface *entry =
			bpf_map_lookup_elem(&interfaces, &key);

		if (!entry || !entry->ifindex)
			break;
		/* One question, not two: half as much to verify. */
		if (!((entry->ifindex ^ ifindex) |
		      ((mac_number(entry->mac) ^ mac) & mask)))
			return i;
	}
	return -1;
}

/* The row of this MAC address, as a number, at the interface; or NULL. */
INLINE struct interface *interface_with(__u32 ifindex, __u64 mac)
{
	__u32 index = 0;
	struct interface *first = bpf_map_lookup_elem(&interfaces, &index);

	/* Most hosts have one interface; a call costs more than a look. */
	if (first && first->ifindex == ifindex && mac_number(first->mac) == mac)
		return first;
	index = interface_index(ifindex, mac, -1);
	return bpf_map_lookup_elem(&interfaces, &index);
}

/*
 * The interface by which a frame came in, if the frame is for one of its MAC
 * addresses; else NULL. XDP runs before the kernel's MAC filter: without this,
 * every load balancer on a bridge would balance a frame that the bridge
 * flooded.
 */
INLINE struct interface *find_interface(__u32 ifindex, const struct ethhdr *eth)
{
	return interface_with(ifindex, mac_number(eth->h_dest));
}

/* A row of the device, or NULL: the program is not attached there. */
INLINE const struct interface *interface_of(__u32 device)
{
	__u32 index = 0;
	struct interface *row = bpf_map_lookup_elem(&interfaces, &index);

	if (row && row->ifindex == device)
		return row;
	/* By any of its MAC addresses. */
	index = interface_index(device, 0, 0);
	return bpf_map_lookup_elem(&interfaces, &index);
}

/* Does the IP packet claim more bytes than the frame has? */
INLINE bool is_cut_short(CONTEXT *ctx, const struct packet *packet)
{
	__u64 length = packet->l3_offset + packet->length;

	if (length <= (__u64)(ctx->data_end - ctx->data))
		return false;
	return length > frame_length(ctx);
}

/* Which generation this packet uses; -1: there is none yet. */
INLINE __u32 generation_index(void)
{
	return control[CONTROL_GENERATION] - 1;
}

INLINE void count_by(__u32 reason, __s64 by)
{
	__u64 *counter = bpf_map_lookup_elem(&reasons, &reason);

	if (counter)
		*counter += by;
}

INLINE void count(enum reason reason)
{
	count_by(reason, 1);
}

/* What the tools want to be told about each decision. */
INLINE __u32 trace_control(void)
{
	return control[CONTROL_TRACE];
}

/* The trace's mode; TRACE_OFF also if the kernel cannot trace. */
INLINE __u32 trace_mode(void)
{
	return constants.can_trace ? trace_control() & TRACE_MODE : TRACE_OFF;
}
