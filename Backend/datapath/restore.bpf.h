/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.bpf.h - is a packet listed in the file, and to be restored?
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/address.h"
#include "common/core/restore.h"

/* It was removed from the file, and its grace is over. */
INLINE bool restore_is_over(const struct restore *restore)
{
	return restore->until && restore->until < bpf_jiffies64();
}

/*
 * By the packet's port, while that row holds, else by any. The addresses and
 * the DSCP are in the key already.
 */
INLINE struct restore *restore_of(struct restore_key *key,
				  const struct packet *packet)
{
	__u32 index = generation_index();
	const struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	void *map = bpf_map_lookup_elem(&restores, &index);
	struct restore *restore = NULL, *any;

	if (!map || !generation)
		return NULL;
	key->protocol = packet->protocol;
	key->port = packet->port;
	if (restore_may_be(generation->vips, key))
		restore = bpf_map_lookup_elem(map, key);
	if (restore && !restore_is_over(restore))
		return restore;
	key->port = 0;
	if (!restore_may_be(generation->vips, key))
		return restore;
	any = bpf_map_lookup_elem(map, key);
	return any ?: restore;
}

/* The reason for leaving alone what the parser did not understand. */
INLINE enum reason refuse(enum reason reason)
{
	switch (reason) {
	case REASON_fragment:
		return REASON_fragment_passed;
	case REASON_extension:
		return REASON_extension_passed;
	default:
		return reason;
	}
}

/* REASON_NONE: the packet is to be restored. */
INLINE enum reason listed(const struct restore *restore,
			  const struct packet *packet)
{
	if (!restore)
		return packet_is_unknown(packet) ? REASON_fragment_passed
						 : REASON_not_listed;
	if (packet->is_martian || addr_equal(&packet->source, &restore->vip))
		return REASON_martian_passed;
	/* An error about a packet that this service did not send. */
	if (packet->is_error && !addr_equal(&packet->quoted, &restore->vip))
		return REASON_not_listed;
	if (restore_is_over(restore))
		return REASON_restore_expired;
	return REASON_NONE;
}

/* Counts it by this row, if it is for this host's server. */
INLINE enum reason counted(const struct restore *restore, enum reason reason)
{
	__u32 key = restore->counter;
	__u64 *counter = bpf_map_lookup_elem(&restore_counts, &key);

	if (counter &&
	    (reason == REASON_restored || reason == REASON_decapsulated ||
	     reason == REASON_delivered ||
	     reason == REASON_second_chance_spent))
		(*counter)++;
	return reason;
}
