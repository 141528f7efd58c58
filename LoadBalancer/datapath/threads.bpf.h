/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * threads.bpf.h - the threads of a service's backends: which one is free, who
 * takes it, and who frees it
 *
 * All works on the decision in `scratch`; see workers.bpf.h.
 */
#pragma once

#include "LoadBalancer/datapath/apart.bpf.h"
#include "LoadBalancer/datapath/backends.bpf.h"
#include "common/bpf/dry.h"
#include "common/core/abi_workers.h"
#include "common/core/schedulers/workers.h"
#include "common/core/verifier.h"

#define RETRIES 4 /* if another CPU was faster */

/* What the trace says of a packet for workers: see workers_trace.bpf.h. */
enum workers_event {
	WORKERS_SENT,	    /* a request, to backend_id */
	WORKERS_FROM_QUEUE, /* ... after `waited` */
	WORKERS_QUEUED,	    /* a request, at `place` */
	WORKERS_DONE,	    /* a server's message: a thread is free */
	WORKERS_NOT_BUSY,   /* a server's message, about no request */
	WORKERS_ASKED,	    /* `lbr run`'s: what waits may leave */
};

INLINE struct workers_pool *pool_of(__u32 generation, __u32 service)
{
	struct pool_key key = {generation, service};

	return bpf_map_lookup_elem(&pools, &key);
}

INLINE struct workers *workers_of(const struct backend *backend)
{
	struct workers_key key = {backend->address, backend->service};

	return bpf_map_lookup_elem(&workers, &key);
}

/* Its state: of the service of the decision in `scratch`. */
INLINE struct pool_state *pool_state(const struct decision *d)
{
	struct service_cell *cell = service_cell(d);
	__u32 id = cell ? cell->service.id : 0;

	return bpf_map_lookup_elem(&pool_states, &id);
}

INLINE void pool_count(struct pool_state *state, enum pool_count what)
{
	EFFECT(__sync_fetch_and_add(&state->counts[what], 1));
}

/* The client's endpoint, as slots have it. */
INLINE __u64 client_name(const struct addr *client, __be16 port, __u32 service)
{
	__u32 zero = 0;
	const struct secrets *key = bpf_map_lookup_elem(&secrets, &zero);

	return key ? worker_name(worker_hash(client, port, service, key->flow))
		   : WORKER_NOBODY;
}

/*
 * How many threads are free at the backend in this place of the table of the
 * service in this cell; above bit 16, the backend's index.
 */
SEPARATE int workers_free_at(__u32 generation, __u32 cell, __u32 number)
{
	struct service_cells *cells =
		bpf_map_lookup_elem(&services, &generation);
	struct service *service;
	struct workers_pool *pool;
	struct backend *backend;
	struct workers *workers;
	int slot;

	if (!cells)
		return 0;
	service = &cells->at[WITHIN(cell, SERVICE_CELLS)].service;
	slot = slot_at(service, number);
	backend = backend_in_slot(generation, slot);
	pool = pool_of(generation, service->id);
	workers = backend ? workers_of(backend) : NULL;
	if (!workers || !pool)
		return 0;
	return slot << 16 |
	       workers_free(workers, pool->threads, bpf_jiffies64());
}

/* The backend with most free threads, in backend_id; 0: none has any. */
SEPARATE int workers_pick(void)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct service_cell *cell;
	struct backend *backend;
	__u32 i, size, key, best = 0;
	__u64 *turn, from;

	if (!h)
		return 0;
	h->backend_id = 0;
	cell = service_cell(d);
	if (!cell || !cell->service.table_size)
		return 0;
	size = cell->service.table_size;
	key = cell->service.rr_turn;
	turn = bpf_map_lookup_elem(&rr_turns, &key);
	from = turn ? *turn : 0;
	for (i = 0; i < MAX_POOL_MEMBERS; i++) {
		__u32 got;

		if (i >= size)
			break;
		got = workers_free_at(d->generation_index, d->cell,
				      (from + i) % size);
		if ((got & 0xffff) > (best & 0xffff))
			best = got;
	}
	if (!(best & 0xffff))
		return 0;
	backend = backend_at(d->generation_index, best >> 16);
	if (backend)
		h->backend_id = backend->id;
	if (turn)
		EFFECT((*turn)++);
	return backend != NULL;
}

/*
 * Takes a thread of the backend in backend_id. `name`: for whom. False: the
 * last one that was free is gone.
 */
SEPARATE int workers_claim(__u64 name)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct backend *backend;
	struct workers *workers;
	struct workers_pool *pool;
	struct pool_state *state;
	__u64 now = bpf_jiffies64();
	int slot = 0;

	if (!h)
		return 0;
	backend = backend_of(d->generation_index, h->backend_id);
	workers = backend ? workers_of(backend) : NULL;
	pool = backend ? pool_of(d->generation_index, backend->service) : NULL;
	state = pool_state(d);
	if (!workers || !pool || !state)
		return 0;
	h->taken = worker_slot(now + pool->lease, name);
	EFFECT(slot = workers_take(workers, pool->threads, now, h->taken));
	if (slot < 0)
		return 0;
	if (slot >= WORKER_EXPIRED)
		pool_count(state, POOL_EXPIRED);
	h->slot = slot % WORKER_EXPIRED;
	return 1;
}

/* Writes `to` over the slot that was taken, unless it is another's by now. */
INLINE void workers_change(struct handed *h, __u64 to)
{
	struct backend *backend =
		backend_of(h->decision.generation_index, h->backend_id);
	struct workers *workers = backend ? workers_of(backend) : NULL;

	if (!workers)
		return;
	EFFECT(worker_exchange(&workers->slot[WITHIN(h->slot, MAX_THREADS)],
			       h->taken, to));
	h->taken = to;
}

/* Frees what was taken: nothing was sent. */
SEPARATE int workers_give_back(void)
{
	struct handed *h = handed();

	if (h)
		workers_change(h, 0);
	return 0;
}

/* Any thread of any backend, in backend_id. */
INLINE bool workers_take_any(__u64 name)
{
	int i;

	for (i = 0; i < RETRIES; i++) {
		if (!workers_pick())
			return false;
		if (workers_claim(name))
			return true;
	}
	return false;
}
