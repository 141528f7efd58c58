/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.bpf.h - a decision, written down for the tool
 */
#pragma once

#include "common/core/record.h"

INLINE void record_hop(struct record *record, const struct decision *d,
		       const struct cached_hop *hop)
{
	record->flags |= RECORD_HOP;
	record->fib = d->fib;
	record->via = hop->via;
	record->out = hop->out;
	record->mtu = hop->mtu;
	__builtin_memcpy(record->destination_mac, hop->destination,
			 sizeof(record->destination_mac));
}

INLINE void record_write(struct record *record, const struct decision *d,
			 const struct found *f, enum reason reason)
{
	__builtin_memset(record, 0, sizeof(*record));
	record->hash = d->hash;
	record->source = d->packet.source;
	record->destination = d->packet.destination;
	record->source_port = d->packet.source_port;
	record->port = d->packet.port;
	record->protocol = d->packet.protocol;
	record->packet = d->packet.flags;
	record->origin = d->origin;
	record->reason = reason;
	if (d->begins)
		record->flags |= RECORD_BEGINS;
	if (d->packet.is_error)
		record->flags |= RECORD_ERROR;
	if (d->asked)
		record->flags |= RECORD_ASKED;
	if (f->in)
		record->in = f->in->device;
	if (f->generation)
		record->generation = f->generation->number;
	if (f->service) {
		record->flags |= RECORD_SERVICE;
		record->service = f->service->id;
	}
	if (f->backend) {
		record->flags |= RECORD_BACKEND;
		record->backend = f->backend->address;
	}
	if (f->hop)
		record_hop(record, d, f->hop);
}

#if DRY_RUN
/* What came of the packet that was asked about. */
MAP(explained, ARRAY, __u32, struct record, 1);

INLINE void explain(const struct decision *d, const struct found *f,
		    enum reason reason)
{
	__u32 zero = 0;
	struct record *record = bpf_map_lookup_elem(&explained, &zero);

	if (record)
		record_write(record, d, f, reason);
}
#endif
