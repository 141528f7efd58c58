/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_flows.bpf.h - lbr_nat's flows: which one a packet is of, and what its new
 * ends are
 *
 * Each step is a function that the kernel verifies on its own: together they
 * would be more than a million instructions.
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "LoadBalancer/datapath/backends.bpf.h"
#include "LoadBalancer/datapath/flows.bpf.h"
#include "LoadBalancer/datapath/nat_maps.bpf.h"
#include "LoadBalancer/datapath/service.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"
#include "common/core/nat_begin.h"
#include "common/core/verifier.h"

/* The time of removed flows' services is asked for no packet here. */
SEPARATE int service_removing(void)
{
	return 0;
}

/* Is it an address of `nat-source`? */
INLINE bool is_nat_source(const struct addr *address)
{
	return bpf_map_lookup_elem(&nat_addresses, address);
}

/* See parse.h. */
SEPARATE int fragment_is_wanted(CONTEXT *ctx)
{
	__u32 index = generation_index();
	struct packet *packet = handed_packet();
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct service_table table;

	if (!packet || !generation || ctx->pkt_type != 0 /* PACKET_HOST */)
		return false;
	if (is_nat_source(&packet->destination))
		return true;
	table = service_table_of(index, generation, packet);
	return is_vip(&table, packet, index);
}

/* Times, of the running generation. */
INLINE void times_of(struct nat_times *times,
		     const struct generation *generation)
{
	times->second = generation->insert_window;
	times->udp_idle = generation->udp_idle;
}

/* The backend of the row's flow, or NULL: it is gone, and so is the flow. */
INLINE const struct backend *nat_backend(__u32 index, const struct nat_row *row)
{
	const struct backend *backend = backend_of(index, row->backend);

	if (!backend || is_over(index, backend))
		return NULL;
	return backend;
}

/* Notes the packet in `parsed` at the flow of row `number`. */
SEPARATE int nat_see(__u32 index, __u32 number, __u32 is_reply)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct packet *packet = handed_packet();
	struct nat_row *row = nat_row_at(number);
	__u32 now = bpf_jiffies64(), i;
	struct nat_times times;
	union nat_state state;

	if (!generation || !packet || !row)
		return 0;
	times_of(&times, generation);
	for (i = 0; i < 4; i++) {
		state = nat_state_of(row);
		if (!nat_lives(state, &times, now) ||
		    nat_note(row, state,
			     nat_next(state.phase, is_reply, packet), now,
			     &times))
			break;
	}
	return 0;
}

/* Ends the flow of row `number`, whose backend gets no new ones. */
SEPARATE int nat_end(__u32 number)
{
	struct nat_row *row = nat_row_at(number);

	if (!row)
		return 0;
	nat_unlist(row->hash, number, nat_bucket_count);
	nat_give_up(row);
	return 0;
}

/* The row of the flow of a client's packet in `parsed`, or -1. */
SEPARATE int nat_known(__u32 index, __u64 hash)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct packet *packet = handed_packet();
	struct nat_times times;

	if (!generation || !packet)
		return NAT_NONE;
	times_of(&times, generation);
	return (int)nat_find(packet, hash, &times, nat_bucket_count,
			     bpf_jiffies64());
}

/* Where the flow would begin, as nat_new() returns it. */
INLINE __s64 nat_would(struct nat_handed *h, const struct nat_flow *flow,
		       const struct packet *packet,
		       const struct nat_times *times)
{
	const struct nat_source *source;
	struct nat_place place = {};
	__s64 number = nat_try(flow, packet->protocol, times, nat_row_count,
			       bpf_jiffies64(), &place, 0);

	source = nat_source_at(place.source);
	if (number < 0 || !source)
		return NAT_FULL;
	h->source = source->address;
	h->source_port = place.port;
	h->port = flow->backend_port;
	return number;
}

/*
 * Begins the flow of a client's packet in `parsed`; as nat_begin(). A dry run
 * writes its ends into `nat_handed`, and takes no row.
 */
SEPARATE int nat_new(__u32 index, __u32 backend_id, __u64 hash, __u32 service)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	const struct backend *backend = backend_of(index, backend_id);
	struct nat_flow flow = {.hash = hash, .service = service};
	struct nat_handed *h = nat_handed_over();
	struct packet *packet = handed_packet();
	const struct nat_source *first;
	struct nat_times times;

	if (!generation || !packet || !backend || !h)
		return NAT_FULL;
	flow.backend = *backend;
	flow.backend_port = backend->port ? backend->port : packet->port;
	flow.first = packet->is_ipv6 ? NAT_SOURCES / 2 : 0;
	first = nat_source_at(flow.first);
	if (!first || !first->together)
		return NAT_FULL;
	flow.sources = first->together;
	times_of(&times, generation);
#if DRY_RUN
	return (int)nat_would(h, &flow, packet, &times);
#endif
	return (int)nat_begin(&flow, packet, &times, nat_row_count,
			      nat_bucket_count, bpf_jiffies64());
}

/*
 * The backend that xdp_lbr has selected for the packet in `parsed`, which
 * begins a flow: what it remembers, or what the table says. Its id, or 0.
 */
SEPARATE int nat_select(__u32 index, __u32 cell, __u64 hash)
{
	struct service_cells *cells = bpf_map_lookup_elem(&services, &index);
	struct packet *packet = handed_packet();
	const struct service *service;
	struct scheduling from = {};
	struct backend *backend;
	struct flow *flow;

	if (!cells || !packet)
		return 0;
	service = &cells->at[WITHIN(cell, SERVICE_CELLS)].service;
	flow = flow_lookup(hash);
	backend = flow ? backend_of(index, flow->backend & FLOW_BACKEND) : NULL;
	if (backend && backend->service == service->id &&
	    select_follows(packet, backend->state))
		return backend->id;
	from.hash = hash_packet(packet);
	from.source = &packet->source;
	backend = backend_in_slot(
		index,
		slot_at(service, scheduler_table_slot(service->scheduler, &from,
						      service->table_size)));
	return backend ? backend->id : 0;
}

/* The ends of a packet to the backend of the row's flow. */
INLINE bool nat_ends(struct nat_handed *h, const struct nat_row *row)
{
	const struct nat_source *source =
		nat_source_at(nat_state_of(row).source);

	if (!source)
		return false;
	h->source = source->address;
	h->source_port = row->port;
	h->port = row->backend_port;
	return true;
}

/* The client's packet in `parsed`: for the service in this cell. */
INLINE enum reason nat_out(struct nat_handed *h, const struct packet *packet,
			   __u32 index, __u32 cell)
{
	__u32 zero = 0, id;
	const struct secrets *key = bpf_map_lookup_elem(&secrets, &zero);
	const struct backend *backend;
	const struct nat_row *row;
	__u64 hash;
	int number;

	if (!key)
		return REASON_no_flow;
	hash = flow_hash(packet, key->flow);
	number = nat_known(index, hash);
	row = number < 0 ? NULL : nat_row_at(number);
	backend = row ? nat_backend(index, row) : NULL;
	if (row && (!backend || !select_follows(packet, backend->state))) {
		EFFECT(nat_end(number));
		row = NULL;
	}
	if (!row) {
		if (packet->is_error || packet->flags & PACKET_LATER ||
		    (packet->protocol == IPPROTO_TCP &&
		     !(packet->flags & PACKET_SYN)))
			return REASON_no_flow;
		id = nat_select(index, cell, hash);
		backend = backend_of(index, id);
		if (!id || !backend)
			return REASON_no_backend;
		number = nat_new(index, id, hash, backend->service);
		row = number < 0 ? NULL : nat_row_at(number);
		h->begins = 1;
	}
	if (!row || !backend)
		return REASON_no_port;
	EFFECT(nat_see(index, number, 0));
	if (!(DRY_RUN && h->begins) && !nat_ends(h, row))
		return REASON_no_port;
	h->destination = backend->address;
	h->backend = backend->id;
	h->service = backend->service;
	h->row = number + 1;
	return REASON_translated;
}

/* The packet in `parsed` is for a source: is it a backend's, of a flow? */
INLINE enum reason nat_back(struct nat_handed *h, const struct packet *packet,
			    const struct generation *generation, __u32 index)
{
	const struct backend *backend;
	const struct nat_row *row;
	struct nat_times times;
	__s64 number;

	number = nat_find_reply(packet, nat_row_count);
	row = number < 0 ? NULL : nat_row_at(number);
	times_of(&times, generation);
	if (!row || !nat_lives(nat_state_of(row), &times, bpf_jiffies64()))
		return REASON_NONE;
	backend = nat_backend(index, row);
	if (!backend || !addr_equal(&backend->address, &packet->source))
		return REASON_NONE;
	EFFECT(nat_see(index, number, 1));
	h->row = number + 1;
	h->source = row->vip;
	h->source_port = row->vip_port;
	h->destination = row->client;
	h->port = row->client_port;
	return packet->ttl <= 1 ? REASON_ttl_exceeded : REASON_returned;
}

/*
 * For the packet in `parsed`: its new ends, in `nat_handed`. REASON_NONE: it is
 * of no flow here, and the kernel's.
 */
SEPARATE int nat_decide(CONTEXT *ctx)
{
	__u32 index = generation_index();
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct packet *packet = handed_packet();
	struct nat_handed *h = nat_handed_over();
	struct service_cell *entry;
	struct service_table table;
	__u16 for_vip;

	if (!generation || !packet || !h || ctx->pkt_type != 0)
		return REASON_NONE;
	__builtin_memset(h, 0, sizeof(*h));
	h->reason = REASON_NONE;
	table = service_table_of(index, generation, packet);
	entry = service_of(&table, packet, &for_vip);
	if (entry && method_returns(&entry->service.method))
		return nat_out(h, packet, index, table.cell);
	h->is_reply = 1;
	if (is_nat_source(&packet->destination))
		return nat_back(h, packet, generation, index);
	return REASON_NONE;
}
