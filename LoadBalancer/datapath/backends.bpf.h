/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * backends.bpf.h - backends by their ids, and by the slots of a service's table
 */
#pragma once

#include "LoadBalancer/datapath/service.bpf.h"
#include "common/core/hash.h"
#include "common/core/schedule.h"
#include "common/core/selection.h"
#include "common/core/verifier.h"

INLINE struct backend *backend_at(__u32 generation_index, __u32 index)
{
	struct backend_rows *rows =
		bpf_map_lookup_elem(&backends, &generation_index);

	if (!rows)
		return NULL;
	KEEP_INDEX(rows, index);
	return &rows->at[index % BACKEND_INDEXES];
}

/* The backend of this id, if it is still there. */
INLINE struct backend *backend_of(__u32 generation_index, __u32 id)
{
	struct backend *backend = backend_at(generation_index, id);

	return backend && selection_is(backend, id) ? backend : NULL;
}

INLINE bool is_over(__u32 index, const struct backend *backend)
{
	return backend->state == BACKEND_REMOVING &&
	       removing_is_over(index, 1 + backend->id % BACKEND_INDEXES);
}

INLINE struct slots *slots_at(__u32 chunk, __u32 element)
{
	struct slots *slots;
	void *map;

	if (LIKELY(!chunk)) {
		slots = bpf_map_lookup_elem(&first_chunk, &element);
		KEEP_APART(slots);
		return slots;
	}
	map = bpf_map_lookup_elem(&tables, &chunk);
	return map ? bpf_map_lookup_elem(map, &element) : NULL;
}

/* What a service's table says at `number`. */
INLINE int slot_at(const struct service *service, __u32 number)
{
	__u32 at = service->table_first + number;
	struct slots *slots;

	if (!service->table_size)
		return -1;
	slots = slots_at(service->chunk, at / SLOTS_PER_ELEMENT);
	return slots ? slots->slot[at % SLOTS_PER_ELEMENT] : -1;
}

/* The slot's number in the table, for a flow that nothing is known of. */
INLINE __u32 slot_number(const struct service *service,
			 const struct decision *d)
{
	struct scheduling from = {.hash = hash_packet(&d->packet),
				  .source = &d->packet.source};

	return scheduler_table_slot(service->scheduler, &from,
				    service->table_size);
}

/* The content of the flow's slot, or -1: there is no table. */
INLINE int slot_of(const struct service *service, const struct decision *d)
{
	return slot_at(service, slot_number(service, d));
}

INLINE struct backend *backend_in_slot(__u32 generation_index, int slot)
{
	return slot < 0 ? NULL : backend_at(generation_index, slot);
}

INLINE struct backend *backend_in_table(__u32 generation_index,
					const struct service *service,
					const struct decision *d)
{
	return backend_in_slot(generation_index, slot_of(service, d));
}
