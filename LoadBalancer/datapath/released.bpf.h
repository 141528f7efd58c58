/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * released.bpf.h - a server's message that it is done with a request
 *
 * It comes to an address of this host, at the service's `release` port. What is
 * no such message is passed up, untouched.
 */
#pragma once

#include "LoadBalancer/datapath/threads.bpf.h"
#include "common/bpf/hand.h"

/* Does the message carry the service's key? */
INLINE bool workers_key_is(const struct workers_pool *pool,
			   const struct done *done)
{
	int i, differs = 0;

	if (!pool->has_key)
		return true;
	for (i = 0; i < RELEASE_KEY; i++)
		differs |= pool->key[i] ^ done->key[i];
	return !differs && (done->magic == bpf_htonl(DONE_MAGIC) ||
			    done->magic == bpf_htonl(SERVE_MAGIC));
}

/* Frees the oldest slot of this name; 0: of any. False: there is none. */
INLINE bool workers_free_named(struct workers *workers, __u64 name)
{
	__u64 slot, now = bpf_jiffies64();
	int i, number;

	for (i = 0; i < RETRIES; i++) {
		number = workers_oldest(workers, now, name);
		if (number < 0)
			break;
		number = WITHIN(number, MAX_THREADS);
		slot = worker_read(&workers->slot[number]);
		if (worker_is_busy(slot, now) &&
		    (slot & WORKER_NAMES) != WORKER_NOBODY &&
		    (!name || (slot & WORKER_NAMES) == name) &&
		    worker_exchange(&workers->slot[number], slot, 0))
			return true;
	}
	return false;
}

/*
 * Frees the slot that a server's message names. REASON_released, or
 * REASON_not_vip: it is no such message.
 */
SEPARATE int workers_free_one(struct xdp_md *ctx)
{
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct backend of = {};
	struct service_cell *cell;
	struct workers_pool *pool;
	struct pool_state *state;
	struct workers *workers;
	struct done done = {};
	__u64 name = 0;
	__u32 at;

	if (!h)
		return REASON_not_vip;
	cell = service_cell(d);
	state = pool_state(d);
	if (!cell || !state)
		return REASON_not_vip;
	of.address = d->packet.source;
	of.service = cell->service.id;
	pool = pool_of(d->generation_index, of.service);
	workers = workers_of(&of);
	at = d->packet.l3_offset + d->packet.l4_offset + sizeof(struct udphdr);
	if (!workers || !pool || at > L3_MOST + L4_MOST + sizeof(struct udphdr))
		return REASON_not_vip;
	bpf_xdp_load_bytes(ctx, at, &done, sizeof(done));
	if (!workers_key_is(pool, &done))
		return REASON_not_vip;
	if (done.magic == bpf_htonl(DONE_MAGIC) && done.port)
		name = client_name(&done.client, done.port, of.service);
	h->event = WORKERS_ASKED;
	if (done.magic == bpf_htonl(SERVE_MAGIC))
		return REASON_released;
	h->event = WORKERS_NOT_BUSY;
	if (workers_free_named(workers, name)) {
		pool_count(state, POOL_DONE);
		h->event = WORKERS_DONE;
	}
	return REASON_released;
}

/*
 * The cell of the service whose `release` port the packet in `parsed` came to,
 * or -1. `index`: of its generation.
 */
SEPARATE int release_cell(__u32 index)
{
	struct packet *packet = handed_packet(), key = {};
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct service_table table = {};

	if (!packet || !generation || packet->protocol != IPPROTO_UDP ||
	    packet->is_error || packet->flags & (PACKET_FIRST | PACKET_LATER) ||
	    !bpf_map_lookup_elem(&own_addresses, &packet->destination))
		return -1;
	table.cells = bpf_map_lookup_elem(&services, &index);
	table.vip = hash_destination(&key.destination);
	table.seed = generation->services_seed;
	if (!service_table_find(&table, &key, packet->port, PROTOCOL_RELEASE))
		return -1;
	return table.cell;
}

/* Is the packet, which is in `parsed`, for a `release` port? Sets l->service.
 */
INLINE bool is_release(struct decision *d, struct lookup *l)
{
	int cell;

	if (!l->generation->releases)
		return false;
	cell = release_cell(d->generation_index);
	if (cell < 0)
		return false;
	d->cell = cell;
	d->for_vip = 1;
	return find_service_again(d, l);
}
