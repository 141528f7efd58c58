/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * select.bpf.h - a flow's backend: the lookups for the rules of
 * common/core/selection.h, and what they say is done
 *
 * The flow table comes first, then the note of a first packet, then the
 * service's table. What is decided is remembered here, before the route is
 * known: a flow whose packet is dropped for want of a route goes to the same
 * backend once there is one.
 */
#pragma once

#include "LoadBalancer/datapath/backends.bpf.h"
#include "LoadBalancer/datapath/begun.bpf.h"
#include "LoadBalancer/datapath/deputy.bpf.h"
#include "LoadBalancer/datapath/flows.bpf.h"
#include "LoadBalancer/datapath/service.bpf.h"
#include "common/core/hash.h"
#include "common/core/schedule.h"
#include "common/core/selection.h"
#include "common/core/verifier.h"

/*
 * Does the flow table know the flow, of a backend that is still there? Verified
 * on its own.
 */
SEPARATE int flow_lives(__u32 index, __u64 hash)
{
	struct flow *flow = flow_lookup(hash);
	struct backend *backend =
		flow ? backend_of(index, flow->backend & FLOW_BACKEND) : NULL;

	return backend && !is_over(index, backend);
}

/*
 * What the generation before says of the flow of the decision in `scratch`: the
 * slot of its table there. -1: nothing. Verified on its own.
 */
SEPARATE int slot_before(void)
{
	__u32 index;
	struct handed *h = handed();
	struct decision *d = &h->decision;
	const struct service_cell *own, *entry;
	struct generation *generation;
	struct service_table table;
	__u16 for_vip;

	if (!h)
		return -1;
	own = service_cell(d);
	generation = bpf_map_lookup_elem(&generations, &d->generation_index);
	if (!own || !generation)
		return -1;
	index = generation->previous;
	generation = bpf_map_lookup_elem(&generations, &index);
	if (!generation)
		return -1;
	table = service_table_of(index, generation, &d->packet);
	entry = service_of(&table, &d->packet, &for_vip);
	if (!entry ||
	    !selection_hears(&d->packet, entry->service.id, own->service.id))
		return -1;
	return slot_of(&entry->service, d);
}

/*
 * In the time of grace: where the generation before would have sent the flow,
 * as that backend is today. NULL where it is over, or the answer is nowhere.
 * `d` is the decision in `scratch`, l->service that of d->cell.
 */
INLINE struct backend *backend_before(const struct decision *d,
				      const struct lookup *l)
{
	struct backend *backend;

	if (!selection_is_in_grace(&d->packet, d->now,
				   l->generation->grace_until))
		return NULL;
	backend = backend_in_slot(l->generation->previous, slot_before());
	if (!backend)
		return NULL;
	backend = backend_of(d->generation_index, backend->id);
	if (!selection_was_there(backend) ||
	    is_over(d->generation_index, backend))
		return NULL;
	return backend;
}

/* `begins`: FLOW_BEGINS or 0. `lives`: of select_keeps(). */
INLINE bool remember(const struct decision *d, const struct lookup *l,
		     const struct backend *backend, __u32 begins, bool lives)
{
	__u32 udp = d->packet.protocol == IPPROTO_UDP ? FLOW_UDP : 0;

	return flow_remember(d, l->service->id, backend->id | begins | udp,
			     lives);
}

/*
 * By a scheduler that is no function of the flow. NULL: what it chose could
 * not be remembered, so the choice does not count. `lives`: of select_keeps();
 * then a note remembers it.
 */
INLINE struct backend *choose(const struct decision *d, const struct lookup *l,
			      bool lives)
{
	const struct service *service = l->service;
	__u32 key = service->rr_turn, number;
	__u64 *turn = bpf_map_lookup_elem(&rr_turns, &key);
	struct scheduling from = {
		.source = &d->packet.source,
		.turn = turn ? *turn : 0,
		.cpu = bpf_get_smp_processor_id(),
		.chance = bpf_get_prandom_u32(),
	};
	struct backend *backend;

	number = scheduler_slot(service->scheduler, &from, service->table_size);
	backend =
		backend_in_slot(d->generation_index, slot_at(service, number));
	if (!backend ||
	    (!lives && !remember(d, l, backend, FLOW_BEGINS, false)))
		return NULL;
	if (turn)
		EFFECT((*turn)++);
	return backend;
}

/*
 * Keeps what select_keeps() says. False: the flow table does not hold it.
 * `lives`: as there.
 */
INLINE bool keep(const struct decision *d, const struct lookup *l,
		 const struct backend *backend, enum keep what, bool lives)
{
	if (what == KEEP_NOTHING)
		return false;
	if (what != KEEP_NOTE &&
	    remember(d, l, backend, what == KEEP_WAY ? FLOW_BEGINS : 0, lives))
		return true;
	if (d->packet.flags & PACKET_SYN)
		begun_with_syn(d, backend->id);
	else
		begun_add(d->hash, d->hash, backend->id, d->now);
	return false;
}

/* Does a remembered flow stay with its backend, l->backend? */
INLINE bool follows(const struct decision *d, const struct lookup *l)
{
	__u8 state;

	if (!selection_stays(&d->packet, l->service->id, l->backend))
		return false;
	state = l->backend->state;
	return !selection_may_have_moved(state) ||
	       flow_stays(d->generation_index, l->backend->id, d->hash,
			  select_syn_name(&d->packet, d->hash),
			  select_cannot_answer(&d->packet));
}

/* By its memory. */
INLINE bool select_known(struct decision *d, struct lookup *l,
			 struct flow *flow)
{
	d->selected_by = SELECTED_ANEW;
	if (select_expired(&d->packet, flow->seen, (__u32)d->now,
			   l->generation->udp_idle))
		return false;
	l->backend =
		backend_of(d->generation_index, flow->backend & FLOW_BACKEND);
	/* Of another service: see select_older(). */
	if (!follows(d, l))
		return false;
	d->selected_by = SELECTED_BY_MEMORY;
	EFFECT(flow->seen = (__u32)d->now);
	EFFECT(flow->backend = selection_entry(&d->packet, flow->backend,
					       l->backend->id));
	return true;
}

/*
 * Where the first packet of the flow went, for the decision in `scratch`.
 * Leaves the backend's id there. Verified on its own.
 */
SEPARATE int select_begun(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct backend *backend;

	if (!h || !generation_of(d, l) || !find_service_again(d, l))
		return 0;
	backend = backend_begun(d, l, d->selected_by == SELECTED_ANEW);
	if (backend)
		h->backend_id = backend->id;
	return 0;
}

/*
 * A choice for the decision in `scratch` by a scheduler that is no function of
 * the flow: for a SYN that nothing is known of. Leaves the backend's id there.
 * False: select_anew() has to choose. Verified on its own.
 */
SEPARATE int select_in_turn(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct backend *backend;
	bool lives;

	if (!h || h->backend_id || !generation_of(d, l) ||
	    !find_service_again(d, l) ||
	    !selection_in_turn(&d->packet, l->service->scheduler))
		return false;
	lives = d->selected_by == SELECTED_ANEW &&
		flow_lives(d->generation_index, d->hash);
	backend = choose(d, l, lives);
	if (!backend)
		return false;
	if (lives)
		begun_with_syn(d, backend->id);
	h->backend_id = backend->id;
	return true;
}

/*
 * Where the generation before would have sent the flow of the decision in
 * `scratch`. Leaves the backend's id there. Verified on its own.
 */
SEPARATE int select_before(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct backend *backend;

	if (!h || h->backend_id || !generation_of(d, l))
		return 0;
	backend = backend_before(d, l);
	if (backend)
		h->before_id = backend->id;
	return 0;
}

/*
 * The choice for the decision in `scratch`: what select_begun() and
 * select_before() left there, or by the table. Leaves the backend's id there
 * (0: there is none) and what is to be remembered, for select_keep(). Verified
 * on its own.
 */
SEPARATE int select_anew(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct selecting from = {};
	struct selection to;

	if (!h || !generation_of(d, l) || !find_service_again(d, l))
		return 0;
	from.known = d->selected_by == SELECTED_ANEW;
	from.lives = from.known && flow_lives(d->generation_index, d->hash);
	from.begun = backend_of(d->generation_index, h->backend_id);
	if (!from.begun) {
		from.table =
			backend_in_table(d->generation_index, l->service, d);
		from.before = backend_of(d->generation_index, h->before_id);
		if (!from.known)
			from.owner = owner_of(d, l->service);
	}
	from.forgets = l->service->forgets;
	to = selection_new(&d->packet, &from);
	d->selected_by = to.selected_by;
	d->begins = to.begins;
	h->backend_id = to.backend ? to.backend->id : 0;
	h->keep = to.keep;
	h->known = from.known;
	h->lives = from.lives;
	return 0;
}

/*
 * Remembers what select_anew() left in `scratch`, or deletes a memory. Another
 * function, because what it does would be verified for each way through that
 * one.
 */
SEPARATE int select_keep(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct lookup lookup = {}, *l = &lookup;
	struct backend *backend;
	bool held;

	if (!h || !generation_of(d, l) || !find_service_again(d, l))
		return 0;
	backend = backend_of(d->generation_index, h->backend_id);
	held = backend && keep(d, l, backend, h->keep, h->lives);
	if (selection_forgets(h->known, h->lives, held))
		flow_forget(d->hash);
	return 0;
}

/* See removing.bpf.h. */
SEPARATE int select_older(void);

INLINE bool select_slowly(struct decision *d, struct lookup *l)
{
	struct handed *h = hand_decision(d);
	struct service_cell *entry;

	if (!h)
		return false;
	h->backend_id = 0;
	h->before_id = 0;
	select_older();
	if (!h->backend_id) {
		select_begun();
		if (!select_in_turn()) {
			select_before();
			select_anew();
			select_keep();
		}
	}
	d->selected_by = h->decision.selected_by;
	d->begins = h->decision.begins;
	d->cell = h->decision.cell;
	l->backend = backend_of(d->generation_index, h->backend_id);
	entry = service_cell(d);
	if (entry)
		l->service = &entry->service;
	return l->backend && entry;
}

/*
 * Where nothing needs to be looked up or remembered: a SYN, in a slot whose
 * flows have never had another backend. A flood of them takes this way.
 */
INLINE bool select_by_table(struct decision *d, struct lookup *l)
{
	int slot;

	if (!select_is_simple(&d->packet, l->service->scheduler))
		return false;
	slot = slot_of(l->service, d);
	if (slot < 0 || slot & SLOT_MOVED)
		return false;
	l->backend = backend_in_slot(d->generation_index, slot);
	if (!l->backend)
		return false;
	begun_with_syn(d, slot);
	return true;
}

/* By what the flow table said of it a moment ago. */
INLINE bool select_hot(struct decision *d, struct lookup *l, int index)
{
	if (index < 0 || !selection_may_be_hot(&d->packet, d->begins))
		return false;
	l->backend = backend_at(d->generation_index, index);
	d->selected_by = SELECTED_BY_MEMORY;
	return follows(d, l);
}

/* Sets l->backend, d->selected_by and d->begins. False: there is none. */
INLINE bool select_backend(struct decision *d, struct lookup *l)
{
	struct hot_bucket *hot;
	struct flow *flow;
	__u64 entry;

	d->begins = d->packet.flags & PACKET_SYN;
	if (select_straight(d, l))
		return true;
	if (!name_flow(d))
		return false;
	if (select_by_table(d, l))
		return true;
	hot = hot_of(d->hash);
	if (!hot)
		return false;
	entry = hot_entry(d->hash, l->generation, d->now);
	if (select_hot(d, l, hot_find(hot, entry)))
		return true;
	flow = flow_lookup(d->hash);
	if (flow && select_known(d, l, flow)) {
		if (selection_is_hot(flow->backend))
			hot_add(hot, entry, l->backend->id);
		else
			hot_forget_flow(d->hash, entry);
		return true;
	}
	hot_forget_flow(d->hash, entry);
	return select_slowly(d, l);
}
