/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.bpf.h - the flow table's lookups (see common/core/flows.h)
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/dry.h"
#include "common/core/flows.h"
#include "common/core/hot.h"
#include "common/core/verifier.h"

INLINE struct flow_bucket *bucket_of(__u64 hash)
{
	__u32 key = flow_bucket(hash, constants.flow_buckets);

	return bpf_map_lookup_elem(&flows, &key);
}

/* NULL where the flow is not remembered. */
INLINE struct flow *flow_lookup(__u64 hash)
{
	struct flow_bucket *bucket = bucket_of(hash);
	int way = bucket ? flow_find(bucket, hash) : -1;

	if (way < 0)
		return NULL;
	return &bucket->flows[WITHIN(way, FLOWS_PER_BUCKET)];
}

INLINE struct hot_bucket *hot_of(__u64 hash)
{
	__u32 key = hot_number(hash);

	return bpf_map_lookup_elem(&hot_flows, &key);
}

/* Verified on its own: few packets make a flow that is hot less so. */
SEPARATE int hot_forget_flow(__u64 hash, __u64 entry)
{
	struct hot_bucket *hot = hot_of(hash);

	if (hot)
		hot_forget(hot, entry);
	return 0;
}

/* Sets d->hash. False: the secrets cannot be read. */
INLINE bool name_flow(struct decision *d)
{
	__u32 zero = 0;
	const struct secrets *key = bpf_map_lookup_elem(&secrets, &zero);

	if (!key)
		return false;
	d->hash = flow_hash(&d->packet, key->flow);
	return true;
}

INLINE void flow_forget(__u64 hash)
{
	struct flow *flow = flow_lookup(hash);

	if (flow)
		EFFECT(flow->hash = 0);
}

/*
 * At most insert_limit flows a second and CPU: a flood cannot do more. Those
 * that only begin have a limit of their own, so that no flood of SYNs keeps
 * others from being remembered.
 */
INLINE bool may_insert(const struct generation *generation,
		       struct insertions *done, bool begins, __u64 now)
{
	__u64 *counter = begins ? &done->begun : &done->count, window, count;

	if (!generation->insert_window)
		return false;
	window = now / generation->insert_window;
	count = done->window == window ? *counter : 0;
	if (done->window != window) {
		EFFECT(done->window = window);
		EFFECT(done->count = 0);
		EFFECT(done->begun = 0);
	}
	EFFECT(*counter = count + 1);
	if (count < generation->insert_limit)
		return true;
	EFFECT(done->refused++);
	return false;
}

/* A lookup beside this sees the way empty while it is written. */
INLINE void flow_write(struct flow *flow, __u64 hash, __u32 backend, __u64 now)
{
	*(volatile __u64 *)&flow->hash = 0;
	*(volatile __u32 *)&flow->backend = backend;
	*(volatile __u32 *)&flow->seen = (__u32)now;
	*(volatile __u64 *)&flow->hash = hash;
}

/* A flow of one packet keeps its way from others for so many seconds. */
#define YOUNG_SECONDS 5

/*
 * Writes the flow into its bucket. `index`: of the generation. `backend`: with
 * its flags. The way, or -1: it could not be remembered. Verified on its own.
 */
SEPARATE int flow_store(__u32 index, __u64 hash, __u32 backend, __u64 now)
{
	bool begins = backend & FLOW_BEGINS;
	__u32 zero = 0, number = flow_bucket(hash, constants.flow_buckets);
	struct insertions *done = bpf_map_lookup_elem(&inserted, &zero);
	struct flow_bucket *bucket = bpf_map_lookup_elem(&flows, &number);
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct flow *flow;
	int way;

	if (!done || !bucket || !generation ||
	    !may_insert(generation, done, begins, now))
		return -1;
	way = flow_way(bucket, hash, (__u32)now, begins,
		       YOUNG_SECONDS * (__u64)generation->insert_window,
		       generation->udp_idle);
	if (way < 0)
		return way;
	flow = &bucket->flows[WITHIN(way, FLOWS_PER_BUCKET)];
	if (flow_is_known(flow) && flow->hash != hash)
		EFFECT(done->evicted++);
	EFFECT(flow_write(flow, hash, backend, now));
	return way;
}

/*
 * Gives a flow another backend where it lies, which takes nothing from others.
 * The way, or -1: it is gone. Verified on its own.
 */
SEPARATE int flow_move(__u64 hash, __u32 backend, __u64 now)
{
	__u32 number = flow_bucket(hash, constants.flow_buckets);
	struct flow_bucket *bucket = bpf_map_lookup_elem(&flows, &number);
	int way = bucket ? flow_find(bucket, hash) : -1;

	if (way >= 0)
		flow_write(&bucket->flows[WITHIN(way, FLOWS_PER_BUCKET)], hash,
			   backend, now);
	return way;
}

/* Whose flow it is, for people. */
INLINE void flow_name(struct flow_key *key, const struct decision *d,
		      __u32 service)
{
	key->source = d->packet.source;
	key->source_port = d->packet.source_port;
	key->port = d->packet.port;
	key->service = service;
}

/*
 * Writes the flow, with whose it is. `lives`: it is there already. False:
 * it could not be remembered.
 */
INLINE bool flow_remember(const struct decision *d, __u32 service,
			  __u32 backend, bool lives)
{
	__u32 number = flow_bucket(d->hash, constants.flow_buckets);
	struct flow_keys *names = bpf_map_lookup_elem(&flow_keys, &number);
	int way = 0;

	if (lives)
		EFFECT(way = flow_move(d->hash, backend, d->now));
	else
		way = flow_store(d->generation_index, d->hash, backend, d->now);
	if (!names || way < 0)
		return false;
	EFFECT(flow_name(&names->keys[WITHIN(way, FLOWS_PER_BUCKET)], d,
			 service));
	return true;
}
