/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.bpf.h - a decision, written down for the tool: for who watches, or
 * for who asked
 */
#pragma once

/* Of the facts in `lines`. */
INLINE void record_write(struct record *record, const struct lbr_line *facts)
{
	__u32 slot = facts->slot;
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &slot);

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
	record->origin = facts->origin;
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
/* What came of the packet that was asked about. */
MAP(explained, ARRAY, __u32, struct record, 1);

__attribute__((noinline)) int explain_write(__u32 is_gathered, __u32 reason)
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

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WATCH_BYTES);
} watched SEC(".maps");
MAP(watch, ARRAY, __u32, __u64, WATCHES);

/* Who watches says until when; so one that was killed costs little. */
__attribute__((noinline)) int watch_write(void)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	__u32 until = WATCH_UNTIL, lost = WATCH_LOST;
	__u64 *word = bpf_map_lookup_elem(&watch, &until);
	struct record *record;

	if (!facts || !word || bpf_jiffies64() > *word)
		return 0;
	record = bpf_ringbuf_reserve(&watched, sizeof(*record), 0);
	if (!record) {
		word = bpf_map_lookup_elem(&watch, &lost);
		if (word)
			__sync_fetch_and_add(word, 1);
		return 0;
	}
	record_write(record, facts);
	bpf_ringbuf_submit(record, 0);
	return 0;
}
