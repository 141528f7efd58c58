/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * select.bpf.h - a flow's backend: the lookups for the rules of
 * common/core/select.h
 *
 * The flow table comes first, the service's table second. What is decided is
 * remembered here, before the route is known: a flow whose packet is dropped
 * for want of a route goes to the same backend once there is one.
 */
#pragma once

INLINE struct backend *backend_at(__u32 generation, __u32 index)
{
	struct backend_rows *rows = bpf_map_lookup_elem(&backends, &generation);

	if (!rows)
		return NULL;
	/* Or clang 19 adds to it before it asks. */
	asm volatile("" : "+r"(rows));
	return &rows->at[index % BACKEND_SLOTS];
}

/* The backend of this id, if it is still there. */
INLINE struct backend *backend_of(__u32 generation, __u32 id)
{
	struct backend *backend = backend_at(generation, id);

	if (!backend || backend->id != id || backend->state == BACKEND_ABSENT)
		return NULL;
	return backend;
}

INLINE bool is_over(const struct decision *d, const struct backend *backend)
{
	return backend->state == BACKEND_LEAVING &&
	       leaving_is_over(d->slot, 1 + backend->id % BACKEND_SLOTS);
}

/* What a service's table says at `number`. */
INLINE int slot_at(__u32 generation, const struct service *service,
		   __u32 number)
{
	void *map = bpf_map_lookup_elem(&tables, &generation);
	__u32 element = (service->table_first + number) / SLOTS_PER_ELEMENT;
	struct slots *slots;

	if (!map || !service->table_size)
		return -1;
	slots = bpf_map_lookup_elem(map, &element);
	return slots ? slots->slot[(service->table_first + number) %
				   SLOTS_PER_ELEMENT]
		     : -1;
}

/* The slot of a flow that nothing is known of, or -1: there is no table. */
INLINE int slot_of(__u32 generation, const struct service *service,
		   const struct decision *d)
{
	struct scheduling from = {.hash = d->hash, .source = &d->packet.source};

	return slot_at(generation, service,
		       scheduler_table_slot(service->scheduler, &from,
					    service->table_size));
}

INLINE struct backend *backend_in_slot(__u32 generation, int slot)
{
	return slot < 0 ? NULL : backend_at(generation, slot);
}

INLINE struct backend *backend_in_table(__u32 generation,
					const struct service *service,
					const struct decision *d)
{
	return backend_in_slot(generation, slot_of(generation, service, d));
}

/*
 * Where the generation before would have sent this flow, as that backend is
 * today. NULL where it is not the time of grace, or the answer is nowhere.
 */
INLINE struct backend *backend_before(const struct decision *d,
				      const struct found *f)
{
	__u32 slot = f->generation->previous;
	struct generation *generation;
	struct directory directory;
	struct directory_entry *entry;
	struct backend *backend;
	__u16 for_vip;

	generation = bpf_map_lookup_elem(&generations, &slot);
	if (!generation)
		return NULL;
	directory = directory_of(slot, generation, &d->packet);
	entry = service_of(&directory, &d->packet, &for_vip);
	/* Another service's has nothing to say but that it differs. */
	if (!entry || (!(d->packet.flags & PACKET_SYN) &&
		       entry->service.id != f->service->id))
		return NULL;
	backend = backend_in_table(slot, &entry->service, d);
	if (!backend)
		return NULL;
	backend = backend_of(d->slot, backend->id);
	if (!backend || backend->state == BACKEND_DOWN || is_over(d, backend))
		return NULL;
	return backend;
}

INLINE bool remember(const struct decision *d, const struct found *f,
		     const struct backend *backend)
{
	struct flow_key key = {d->packet.source, d->packet.source_port,
			       d->packet.port, f->service->id};

	return flow_remember(f->generation, d->hash, &key, backend->id, d->now);
}

/*
 * By a scheduler that is no function of the flow. NULL: what it chose could
 * not be remembered, so the choice does not count.
 */
INLINE struct backend *choose(const struct decision *d, const struct found *f)
{
	const struct service *service = f->service;
	__u32 key = service->turns, number;
	__u64 *turn = bpf_map_lookup_elem(&turns, &key);
	struct scheduling from = {
		.hash = d->hash,
		.source = &d->packet.source,
		.turn = turn ? *turn : 0,
		.cpu = bpf_get_smp_processor_id(),
		.chance = bpf_get_prandom_u32(),
	};
	struct backend *backend;

	number = scheduler_slot(service->scheduler, &from, service->table_size);
	backend = backend_in_slot(d->slot, slot_at(d->slot, service, number));
	if (!backend || !remember(d, f, backend))
		return NULL;
	if (turn && !DRY_RUN)
		(*turn)++;
	return backend;
}

/* By the scheduler and its table, for a flow that nothing is known of. */
INLINE struct backend *schedule(struct decision *d, const struct found *f,
				bool *remembered)
{
	const struct service *service = f->service;
	struct backend *backend, *before = NULL;

	if ((d->packet.flags & PACKET_SYN) &&
	    !scheduler_is_function(service->scheduler)) {
		backend = choose(d, f);
		*remembered = backend;
		if (backend)
			return backend;
	}
	backend = backend_in_table(d->slot, service, d);
	if (d->now < f->generation->grace_until &&
	    select_asks_previous(&d->packet))
		before = backend_before(d, f);
	if (before && !(d->packet.flags & PACKET_SYN) && before != backend) {
		d->origin = ORIGIN_PREVIOUS;
		backend = before;
	}
	if (backend &&
	    select_remembers(&d->packet, before && before != backend))
		*remembered = remember(d, f, backend);
	return backend;
}

/* Does a remembered flow follow its memory, f->backend? */
INLINE bool follows(const struct decision *d, const struct found *f)
{
	return select_follows(&d->packet, f->backend->state) &&
	       !is_over(d, f->backend);
}

/* By its memory. */
INLINE bool select_known(struct decision *d, struct found *f, struct flow *flow)
{
	d->origin = ORIGIN_MOVED;
	if (select_expired(&d->packet, flow->seen, (__u32)d->now,
			   f->generation->udp_idle))
		return false;
	f->backend = backend_of(d->slot, flow->backend & ~FLOW_ENDS);
	/* Of another service: see select_older(). */
	if (!f->backend || f->backend->service != f->service->id ||
	    !follows(d, f))
		return false;
	d->origin = ORIGIN_KNOWN;
	if (DRY_RUN)
		return true;
	flow->seen = (__u32)d->now;
	flow->backend = f->backend->id |
			select_end(&d->packet, flow->backend & FLOW_ENDS);
	return true;
}

#include "LoadBalancer/leaving.bpf.h"

/*
 * The scheduler's choice for the decision in `scratch`, with all that goes
 * with it: what is to be remembered, the grace after a change, a memory to be
 * deleted. Leaves the backend's id there; 0: there is none.
 */
__attribute__((noinline)) int select_anew(void)
{
	__u32 zero = 0;
	struct handed *h = bpf_map_lookup_elem(&scratch, &zero);
	struct decision *d = &h->decision;
	bool remembered = false, known;
	struct found found = {}, *f = &found;
	struct backend *backend;

	if (!h || !generation_of(d, f) || !find_service_again(d, f))
		return 0;
	known = d->origin == ORIGIN_MOVED;
	backend = schedule(d, f, &remembered);
	/* One that is not remembered would begin with each of its packets. */
	if (d->packet.protocol == IPPROTO_UDP)
		d->begins = remembered;
	if (known && !remembered)
		flow_forget(d->hash);
	d->backend_id = backend ? backend->id : 0;
	return 0;
}

INLINE bool select_slowly(struct decision *d, struct found *f)
{
	struct handed *h = hand_over(d);
	struct directory_entry *entry;

	if (!h)
		return false;
	h->decision.backend_id = 0;
	select_older();
	if (!h->decision.backend_id)
		select_anew();
	d->origin = h->decision.origin;
	d->begins = h->decision.begins;
	d->place = h->decision.place;
	f->backend = backend_of(d->slot, h->decision.backend_id);
	entry = service_entry(d);
	if (entry)
		f->service = &entry->service;
	return f->backend && entry;
}

/*
 * Where nothing needs to be looked up or remembered: a SYN, in a slot whose
 * flows have never had another backend. A flood of them takes this way.
 */
INLINE bool select_by_table(struct decision *d, struct found *f)
{
	int slot;

	if (!select_is_simple(&d->packet, f->service->scheduler))
		return false;
	slot = slot_of(d->slot, f->service, d);
	if (slot < 0 || slot & SLOT_MOVED)
		return false;
	f->backend = backend_in_slot(d->slot, slot);
	return f->backend;
}

/* By what the flow table said of it a moment ago. */
INLINE bool select_recent(struct decision *d, struct found *f, int index)
{
	if (index < 0 || d->begins || select_ends(&d->packet))
		return false;
	f->backend = backend_at(d->slot, index);
	d->origin = ORIGIN_KNOWN;
	return f->backend && follows(d, f);
}

/* Sets f->backend, d->origin and d->begins. False: there is none. */
INLINE bool select_backend(struct decision *d, struct found *f)
{
	struct recent_bucket *recent;
	struct flow *flow;
	__u64 word;

	d->begins = d->packet.flags & PACKET_SYN;
	d->hash = flow_hash(&d->packet);
	if (select_by_table(d, f))
		return true;
	recent = recent_of(d->hash);
	if (!recent)
		return false;
	word = recent_word(d->hash, f->generation, d->now);
	if (select_recent(d, f, recent_find(recent, word)))
		return true;
	flow = flow_lookup(d->hash);
	if (flow && select_known(d, f, flow)) {
		/* Of one that ends, the flow table hears every packet. */
		if (flow->backend & FLOW_ENDS)
			recent_forget(recent, word);
		else
			recent_add(recent, word, f->backend->id);
		return true;
	}
	recent_forget(recent, word);
	return select_slowly(d, f);
}

INLINE void count_backend(const struct decision *d, const struct found *f)
{
	__u32 key = f->backend->id % BACKEND_SLOTS;
	struct backend_count *counter =
		bpf_map_lookup_elem(&backend_counts, &key);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += d->packet.l3_offset + d->packet.length;
	counter->flows += d->begins;
}
