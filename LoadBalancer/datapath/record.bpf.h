/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.bpf.h - write a decision down, for `lbr watch` or `lbr explain`
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/core/hash.h"
#include "common/core/verifier.h"
#include "common/core/watch.h"

/* Of the facts in `lines`. */
INLINE void record_write(struct record *record, const struct lbr_line *facts)
{
	__u32 index = facts->generation_index;
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);

	__builtin_memset(record, 0, sizeof(*record));
	record->hash = hash_ends(&facts->line.source, facts->line.source_port,
				 &facts->line.destination, facts->line.port,
				 facts->line.protocol);
	record->generation = generation ? generation->number : 0;
	record->fib = facts->fib;
	record->source = facts->line.source;
	record->destination = facts->line.destination;
	record->source_port = facts->line.source_port;
	record->port = facts->line.port;
	record->service = facts->service;
	record->in = facts->in;
	record->protocol = facts->line.protocol;
	record->packet = facts->line.flags;
	record->selected_by = facts->selected_by;
	record->reason = facts->line.reason;
	if (facts->service)
		record->flags |= RECORD_SERVICE;
	if (facts->begins)
		record->flags |= RECORD_BEGINS;
	if (facts->line.is_error)
		record->flags |= RECORD_ERROR;
	if (facts->asked)
		record->flags |= RECORD_ASKED;
	if (facts->has_backend) {
		record->flags |= RECORD_BACKEND;
		record->backend = facts->backend;
	}
	if (facts->has_hop) {
		record->flags |= RECORD_HOP;
		record->via = facts->via;
		record->out = facts->out;
		record->mtu = facts->mtu;
		__builtin_memcpy(record->destination_mac, facts->mac,
				 sizeof(record->destination_mac));
	}
}

#if DRY_RUN
SEPARATE int explain_write(__u32 is_gathered, __u32 reason)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct record *record = bpf_map_lookup_elem(&explained, &zero);

	if (!facts || !record)
		return 0;
	if (is_gathered)
		record_write(record, facts);
	else /* it is not for this host */
		__builtin_memset(record, 0, sizeof(*record));
	record->reason = reason;
	return 0;
}
#endif

/* Into the watcher's ring buffer. */
INLINE void watch_tell(__u32 watcher, const struct lbr_line *facts)
{
	void *ring = bpf_map_lookup_elem(&watched, &watcher);
	struct record *record;
	__u64 *lost;

	if (!ring)
		return;
	record = bpf_ringbuf_reserve(ring, sizeof(*record), 0);
	if (record) {
		record_write(record, facts);
		bpf_ringbuf_submit(record, 0);
		return;
	}
	lost = bpf_map_lookup_elem(&watch_lost, &watcher);
	if (lost)
		__sync_fetch_and_add(lost, 1);
}

/*
 * Tells the watcher of this index the facts in `lines`, if it wants them.
 * False: nobody watches with this index any more. Verified on its own.
 */
SEPARATE int watch_offer(__u32 watcher)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct watch *wanted = bpf_map_lookup_elem(&watch, &watcher);
	struct watch_facts those;

	if (!facts || !wanted || bpf_jiffies64() > wanted->until)
		return false;
	those.source = &facts->line.source;
	those.destination = &facts->line.destination;
	those.backend = facts->has_backend ? &facts->backend : NULL;
	those.source_port = facts->line.source_port;
	those.port = facts->line.port;
	those.protocol = facts->line.protocol;
	those.reason = facts->line.reason;
	if (watch_wants(wanted, &those))
		watch_tell(watcher, facts);
	return true;
}

/*
 * Nobody watches any more: from here on, what a killed watcher left costs
 * nothing. Only one byte is written, because the tool may be writing the
 * others. A watcher that begins at this moment sets it again when it renews its
 * row.
 */
INLINE void watch_is_over(void)
{
	volatile __u8 *value = (volatile __u8 *)&control[CONTROL_TRACE];

	value[__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 2 : 1] = 0;
}
_Static_assert(TRACE_WATCHED == 1 << 8, "the byte of watch_is_over()");

/* Offers the facts in `lines` to every watcher, if there may be one. */
SEPARATE int watch_write(void)
{
	__u32 zero = 0, i;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	int alive = 0;

	if (!facts || !facts->is_watched)
		return 0;
	for (i = 0; i < WATCHERS; i++)
		alive |= watch_offer(i);
	if (!alive)
		watch_is_over();
	return 0;
}
