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

INLINE bool find_generation(struct decision *d)
{
	d->slot = generation_slot();
	d->generation = bpf_map_lookup_elem(&generations, &d->slot);
	return d->generation;
}

INLINE struct backend *backend_at(__u32 generation, __u32 index)
{
	void *map = bpf_map_lookup_elem(&backends, &generation);

	return map ? bpf_map_lookup_elem(map, &index) : NULL;
}

/* The backend of this id, if it is still there. */
INLINE struct backend *backend_of(__u32 generation, __u32 id)
{
	struct backend *backend = backend_at(generation, id % BACKEND_SLOTS);

	if (!backend || backend->id != id || backend->state == BACKEND_ABSENT)
		return NULL;
	return backend;
}

/* What a generation's table says of a slot number of the service. */
INLINE struct backend *
backend_in_table(__u32 generation, const struct service *service, __u32 number)
{
	void *map = bpf_map_lookup_elem(&tables, &generation);
	__u32 slot = service->table_first + number;
	__u32 element = slot / SLOTS_PER_ELEMENT;
	struct slots *slots;

	if (!map || !service->table_size)
		return NULL;
	slots = bpf_map_lookup_elem(map, &element);
	if (!slots)
		return NULL;
	return backend_at(generation, slots->backend[slot % SLOTS_PER_ELEMENT]);
}

/*
 * Where the generation before would have sent this flow, as that backend is
 * today. NULL where it is not the time of grace, or the answer is nowhere.
 */
INLINE struct backend *backend_before(struct decision *d, __u32 hash)
{
	struct service_key key = {d->packet.destination, d->packet.port,
				  d->packet.protocol, 0};
	__u32 slot = d->generation->previous;
	struct service *service;
	struct backend *backend;
	void *map;

	map = bpf_map_lookup_elem(&services, &slot);
	if (!map)
		return NULL;
	service = bpf_map_lookup_elem(map, &key);
	if (!service) {
		key.port = 0;
		service = bpf_map_lookup_elem(map, &key);
	}
	if (!service || service->id != d->service->id)
		return NULL;
	backend = backend_in_table(slot, service,
				   hash_slot(hash, service->table_size));
	if (!backend)
		return NULL;
	backend = backend_of(d->slot, backend->id);
	return backend && backend->state != BACKEND_DOWN ? backend : NULL;
}

/* At most insert_limit flows a second and CPU: a flood cannot do more. */
INLINE bool may_insert(const struct generation *generation, __u64 now)
{
	__u32 key = 0;
	struct insertions *done = bpf_map_lookup_elem(&inserted, &key);
	__u64 window;

	if (!done || !generation->insert_window)
		return false;
	window = now / generation->insert_window;
	if (done->window != window) {
		done->window = window;
		done->count = 0;
	}
	if (done->count++ < generation->insert_limit)
		return true;
	done->refused++;
	return false;
}

INLINE bool remember(struct decision *d, const struct flow_key *key,
		     const struct backend *backend, __u64 now)
{
	struct flow flow = {backend->id, (__u32)now};

	return may_insert(d->generation, now) &&
	       !bpf_map_update_elem(&flows, key, &flow, BPF_ANY);
}

/* By the scheduler and its table, for a flow that nothing is known of. */
INLINE struct backend *schedule(struct decision *d, const struct flow_key *key,
				__u64 now, bool *remembered)
{
	struct service *service = d->service;
	__u32 hash = hash_flow(&d->packet);
	struct backend *backend, *before = NULL;

	if ((d->packet.flags & PACKET_SYN) &&
	    !scheduler_is_function(service->scheduler)) {
		/* A slot drawn at random: by weight, as the table is. */
		backend = backend_in_table(
			d->slot, service,
			hash_slot(bpf_get_prandom_u32(), service->table_size));
		if (backend && remember(d, key, backend, now)) {
			*remembered = true;
			return backend;
		}
	}
	backend = backend_in_table(d->slot, service,
				   hash_slot(hash, service->table_size));
	if (now < d->generation->grace_until &&
	    select_asks_previous(&d->packet))
		before = backend_before(d, hash);
	if (before && !(d->packet.flags & PACKET_SYN) && before != backend) {
		d->origin = ORIGIN_PREVIOUS;
		backend = before;
	}
	if (backend &&
	    select_remembers(&d->packet, before && before != backend))
		*remembered = remember(d, key, backend, now);
	return backend;
}

/* Sets d->backend, d->origin and d->begins. False: there is none. */
INLINE bool select_backend(struct decision *d)
{
	struct flow_key key = {d->packet.source, d->packet.source_port,
			       d->packet.port, d->service->id};
	struct flow *flow = bpf_map_lookup_elem(&flows, &key);
	__u64 now = bpf_jiffies64();
	bool remembered = false;

	d->begins = d->packet.flags & PACKET_SYN;
	if (flow && !select_expired(&d->packet, flow->seen, (__u32)now,
				    d->generation->udp_idle)) {
		d->backend = backend_of(d->slot, flow->backend);
		if (d->backend &&
		    select_follows(&d->packet, d->backend->state)) {
			/* Not each time: the line is shared by all CPUs. */
			if ((__u32)now - flow->seen >
			    d->generation->udp_idle / 64)
				flow->seen = (__u32)now;
			d->origin = ORIGIN_KNOWN;
			return true;
		}
		d->origin = ORIGIN_MOVED;
	}
	d->backend = schedule(d, &key, now, &remembered);
	/* One that is not remembered would begin with each of its packets. */
	if (d->packet.protocol == IPPROTO_UDP)
		d->begins = remembered;
	if (flow && !remembered)
		bpf_map_delete_elem(&flows, &key);
	return d->backend;
}

INLINE void count_backend(const struct decision *d)
{
	__u32 key = d->backend->id % BACKEND_SLOTS;
	struct backend_count *counter =
		bpf_map_lookup_elem(&backend_counts, &key);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += sizeof(struct ethhdr) + d->packet.length;
	counter->flows += d->begins;
}
