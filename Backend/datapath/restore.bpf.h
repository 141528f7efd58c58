/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * restore.bpf.h - is a packet listed in the file, and to be restored?
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/core/address.h"
#include "common/core/dscp.h"
#include "common/core/restore.h"
#include "common/core/verifier.h"

/* It was removed from the file, and its grace is over. */
INLINE bool restore_is_over(const struct restore *restore)
{
	return restore->until && restore->until < bpf_jiffies64();
}

/* What the generation at this index restores, or NULL. */
INLINE const struct restores *restores_at(__u32 generation)
{
	void *map = bpf_map_lookup_elem(&restores, &generation);
	__u32 zero = 0;

	return map ? bpf_map_lookup_elem(map, &zero) : NULL;
}

INLINE const struct restore_row *row_of(const struct restores *rows,
					const struct restore_key *key)
{
	return restore_may_be(rows->bits, key) ? restore_find(rows, key) : NULL;
}

/*
 * The index of the row for the key in `wanted`, but with this mark: of its
 * port, while that row holds, else of any; 0 if there is none, or none with the
 * mark that holds. `generation`: its index.
 */
SEPARATE int row_with(__u32 generation, __u32 dscp)
{
	__u32 zero = 0;
	const struct restore_key *asked = bpf_map_lookup_elem(&wanted, &zero);
	const struct restores *rows = restores_at(generation);
	const struct restore_row *row, *any;
	struct restore_key key;

	if (!asked || !rows)
		return 0;
	key = *asked;
	key.dscp = dscp;
	row = row_of(rows, &key);
	if (!row || restore_is_over(&row->restore)) {
		key.port = 0;
		any = row_of(rows, &key);
		row = any ?: row;
	}
	return row && !(dscp && restore_is_over(&row->restore))
		       ? (int)row->index
		       : 0;
}

/* Wants the row for the packet in `parsed`. Returns its mark. */
SEPARATE int want_row(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct restore_key *key = bpf_map_lookup_elem(&wanted, &zero);
	const struct packet *found = handed_packet();
	struct packet packet;

	if (!found || !key || !take_packet(&packet, found, data, end))
		return 0;
	*key = (struct restore_key){.address = packet.destination,
				    .port = packet.port,
				    .protocol = packet.protocol};
	return dscp_get(&packet);
}

/* The index of the row for the packet in `parsed`, or 0. */
INLINE int find_row(struct xdp_md *ctx, __u32 generation)
{
	__u32 dscp = want_row(ctx), row = 0;

	if (dscp)
		row = row_with(generation, dscp);
	/* Else the mark is the client's own. */
	return row ? row : row_with(generation, 0);
}

/* The row of this index, as row_with() returns it. */
INLINE const struct restore *row_at(const struct restores *rows, __u64 index)
{
	const struct restore_row *row = restore_at(rows, index);

	return index && row ? &row->restore : NULL;
}

/*
 * row_with() in one look, which is enough for nearly all packets: by this port,
 * if there may be a row, else by any. RESTORE_UNSURE: it is not enough. NULL:
 * there is no row.
 */
#define RESTORE_UNSURE ((const struct restore *)1)
INLINE const struct restore *look_once(const struct restores *rows,
				       struct restore_key *key)
{
	struct restore_key any = {.protocol = key->protocol};
	const struct restore_row *row;
	__u32 is_there = restore_may_be(rows->bits, key);

	if (!(is_there | restore_may_be(rows->bits, &any)))
		return NULL;
	key->port *= is_there;
	row = restore_find(rows, key);
	if (!row || restore_is_over(&row->restore))
		return RESTORE_UNSURE;
	return &row->restore;
}

/* find_row() in the same way. */
INLINE const struct restore *find_at_once(const struct packet *packet,
					  __u8 dscp)
{
	const struct restores *rows = restores_at(generation_index());
	struct restore_key key = {.address = packet->destination,
				  .port = packet->port,
				  .protocol = packet->protocol};
	struct restore_key any = {.protocol = packet->protocol, .dscp = dscp};

	if (!rows)
		return NULL;
	/*
	 * With the mark, if there may be a row; else it is the client's own.
	 * Products, or the verifier would follow each way.
	 */
	if (restore_may_be(rows->bits, &any) & (is_zero(dscp) ^ 1))
		return RESTORE_UNSURE;
	key.dscp = dscp;
	key.dscp *= restore_may_be(rows->bits, &key);
	return look_once(rows, &key);
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
