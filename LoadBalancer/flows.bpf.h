/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flows.bpf.h - the flow table's lookups (see common/core/flows.h)
 */
#pragma once

INLINE struct flow_bucket *bucket_of(__u64 hash)
{
	__u32 key = flow_bucket(hash, constants.flow_buckets);

	return bpf_map_lookup_elem(&flows, &key);
}

/* NULL where the flow is not remembered. */
INLINE struct flow *flow_lookup(__u64 hash)
{
	struct flow_bucket *bucket = bucket_of(hash);
	int place = bucket ? flow_find(bucket, hash) : -1;

	if (place < 0)
		return NULL;
	return &bucket->flows[place & (FLOWS_PER_BUCKET - 1)];
}

INLINE struct recent_bucket *recent_of(__u64 hash)
{
	__u32 key = recent_number(hash);

	return bpf_map_lookup_elem(&recent_flows, &key);
}

INLINE void flow_forget(__u64 hash)
{
	struct flow *flow = flow_lookup(hash);

	if (flow && !DRY_RUN)
		flow->hash = 0;
}

/* At most insert_limit flows a second and CPU: a flood cannot do more. */
INLINE bool may_insert(const struct generation *generation,
		       struct insertions *done, __u64 now)
{
	__u64 window;

	if (!generation->insert_window)
		return false;
	window = now / generation->insert_window;
	if (DRY_RUN)
		return done->window != window ||
		       done->count < generation->insert_limit;
	if (done->window != window) {
		done->window = window;
		done->count = 0;
	}
	if (done->count++ < generation->insert_limit)
		return true;
	done->refused++;
	return false;
}

/*
 * A lookup beside this sees the place empty while it is written. `key` is for
 * people only: it lies in a map of its own, which no lookup touches.
 */
INLINE void flow_write(struct flow *flow, __u64 hash, __u32 backend, __u64 now)
{
	*(volatile __u64 *)&flow->hash = 0;
	*(volatile __u32 *)&flow->backend = backend;
	*(volatile __u32 *)&flow->seen = (__u32)now;
	*(volatile __u64 *)&flow->hash = hash;
}

/* False: it could not be remembered. */
INLINE bool flow_remember(const struct generation *generation, __u64 hash,
			  const struct flow_key *key, __u32 backend, __u64 now)
{
	__u32 zero = 0, number = flow_bucket(hash, constants.flow_buckets);
	struct insertions *done = bpf_map_lookup_elem(&inserted, &zero);
	struct flow_bucket *bucket = bpf_map_lookup_elem(&flows, &number);
	struct flow_keys *names = bpf_map_lookup_elem(&flow_keys, &number);
	struct flow *flow;
	int place;

	if (!done || !bucket || !names || !may_insert(generation, done, now))
		return false;
	if (DRY_RUN)
		return true;
	place = flow_place(bucket, hash, (__u32)now) & (FLOWS_PER_BUCKET - 1);
	flow = &bucket->flows[place];
	if (flow->hash && flow->hash != hash)
		done->evicted++;
	names->keys[place] = *key;
	flow_write(flow, hash, backend, now);
	return true;
}
