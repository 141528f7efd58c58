/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_begin.h - find a translated flow, and begin one
 *
 * Before it is included, an engine says where its rows, buckets and sources
 * are; NULL: there is none of that number:
 *
 *	struct nat_row *nat_row_at(__u32 number);
 *	struct nat_bucket *nat_bucket_at(__u32 number);
 *	const struct nat_source *nat_source_at(__u32 index);
 */
#pragma once

#include "common/core/nat_table.h"

/* In place of a row's number. */
enum {
	NAT_NONE = -1,	    /* no such flow */
	NAT_FULL = -2,	    /* no port is free */
	NAT_CONTENDED = -3, /* another CPU has just begun the same flow */
};

/* A flow that is to begin. */
struct nat_flow {
	struct backend backend;
	__u64 hash;    /* flow_hash() of its client's packets, never 0 */
	__u32 service; /* struct service.id */
	__u32 first;   /* index of the first source of its family */
	__u32 sources; /* how many there are, not 0 */
	__be16 backend_port;
};

/*
 * The row of the flow of a client's packet, if it is alive and not `but`; else
 * NAT_NONE. `now` in jiffies.
 */
INLINE __s64 nat_find_but(const struct packet *packet, __u64 hash,
			  const struct nat_times *times, __u32 buckets,
			  __u64 now, __s64 but)
{
	const struct nat_bucket *bucket;
	const struct nat_row *row;
	__s64 number;
	__u32 i;

	for (i = 0; i < 2 * NAT_PER_BUCKET; i++) {
		bucket = nat_bucket_at(
			nat_bucket_of(hash, i / NAT_PER_BUCKET, buckets));
		number =
			bucket ? nat_candidate(bucket, i % NAT_PER_BUCKET, hash)
			       : -1;
		if (number < 0 || number == but)
			continue;
		row = nat_row_at(number);
		if (row && nat_is_forward(row, packet) &&
		    nat_lives(nat_state_of(row), times, (__u32)now))
			return number;
	}
	return NAT_NONE;
}

INLINE __s64 nat_find(const struct packet *packet, __u64 hash,
		      const struct nat_times *times, __u32 buckets, __u64 now)
{
	return nat_find_but(packet, hash, times, buckets, now, NAT_NONE);
}

/*
 * The row that a backend's packet has if it is of a flow. Whether it is, and
 * of this backend, is the caller's to ask: its state, and struct backend.
 */
INLINE __s64 nat_find_reply(const struct packet *packet, __u32 rows)
{
	__u32 base = nat_base(&packet->destination, &packet->source,
			      packet->source_port, packet->protocol);
	__u32 number = nat_row_of(base, packet->port, rows);
	const struct nat_row *row = nat_row_at(number);
	union nat_state state;
	const struct nat_source *source;

	if (!row)
		return NAT_NONE;
	state = nat_state_of(row);
	source = nat_source_at(state.source);
	if (!source || !(state.phase & NAT_OPEN) ||
	    state.protocol != packet->protocol || row->port != packet->port ||
	    row->backend_port != packet->source_port ||
	    !addr_equal(&source->address, &packet->destination))
		return NAT_NONE;
	return number;
}

/* Takes the entry of a row's flow out of the index. */
INLINE void nat_unlist(__u64 hash, __u32 number, __u32 buckets)
{
	__u64 entry = nat_entry(hash, number);
	struct nat_bucket *bucket =
		nat_bucket_at(nat_bucket_of(hash, 0, buckets));

	if (bucket && nat_leave(bucket, entry))
		return;
	bucket = nat_bucket_at(nat_bucket_of(hash, 1, buckets));
	if (bucket)
		nat_leave(bucket, entry);
}

/*
 * Lists it where there is more room. In the first of the two that has any, one
 * flow of 50,000 would find both full while the index is a third full; so, none
 * does.
 */
INLINE int nat_list(__u64 hash, __u32 number, __u32 buckets)
{
	__u64 entry = nat_entry(hash, number);
	struct nat_bucket *first =
		nat_bucket_at(nat_bucket_of(hash, 0, buckets));
	struct nat_bucket *second =
		nat_bucket_at(nat_bucket_of(hash, 1, buckets));

	if (!first || !second)
		return 0;
	if (nat_room(second) > nat_room(first))
		return nat_enter(second, entry) || nat_enter(first, entry);
	return nat_enter(first, entry) || nat_enter(second, entry);
}

/* What a flow that begins has got: a port, at the source of this index. */
struct nat_place {
	__u32 source;
	__be16 port;
};

/*
 * Takes a row for the flow by trying ports; *place says which. NAT_FULL: none
 * was free. Unless `takes`, it only says which one it would take.
 */
INLINE __s64 nat_try(const struct nat_flow *flow, __u8 protocol,
		     const struct nat_times *times, __u32 rows, __u32 now,
		     struct nat_place *place, int takes)
{
	const struct nat_source *source;
	union nat_state was;
	struct nat_row *row;
	__u32 i, number;

	for (i = 0; i < NAT_TRIES; i++) {
		place->source = flow->first +
				((__u32)(flow->hash >> 40) + i) % flow->sources;
		source = nat_source_at(place->source);
		if (!source || !source->count)
			continue;
		place->port = nat_port(source, flow->hash, i);
		number = nat_row_of(nat_base(&source->address,
					     &flow->backend.address,
					     flow->backend_port, protocol),
				    place->port, rows);
		row = nat_row_at(number);
		if (!row)
			continue;
		was = nat_state_of(row);
		if (nat_is_free(was, times, now) &&
		    (!takes ||
		     nat_take(row, was, protocol, place->source, now)))
			return number;
	}
	return NAT_FULL;
}

/* Fills in the row that was taken, and opens it. */
INLINE void nat_fill(struct nat_row *row, const struct nat_flow *flow,
		     const struct packet *packet, __be16 port)
{
	row->hash = flow->hash;
	row->client = packet->source;
	row->vip = packet->destination;
	row->backend = flow->backend.id;
	row->service = flow->service;
	row->client_port = packet->source_port;
	row->vip_port = packet->port;
	row->backend_port = flow->backend_port;
	row->port = port;
	nat_publish(row);
}

/*
 * Begins the flow of a client's packet, of which nat_find() finds nothing. The
 * row's number, NAT_FULL or NAT_CONTENDED. `now` in jiffies.
 */
INLINE __s64 nat_begin(const struct nat_flow *flow, const struct packet *packet,
		       const struct nat_times *times, __u32 rows, __u32 buckets,
		       __u64 now)
{
	struct nat_row *row;
	struct nat_place place = {};
	__s64 number = nat_try(flow, packet->protocol, times, rows, (__u32)now,
			       &place, 1);

	row = number < 0 ? NULL : nat_row_at(number);
	if (!row)
		return NAT_FULL;
	/* The entry of the flow that the row had. */
	if (row->hash)
		nat_unlist(row->hash, number, buckets);
	nat_fill(row, flow, packet, place.port);
	if (!nat_list(flow->hash, number, buckets)) {
		nat_give_up(row);
		return NAT_FULL;
	}
	/*
	 * Of two CPUs that list the same flow, at least one finds the other's
	 * entry now. It gives way; the client sends its packet again.
	 */
	if (nat_find_but(packet, flow->hash, times, buckets, now, number) < 0)
		return number;
	nat_unlist(flow->hash, number, buckets);
	nat_give_up(row);
	return NAT_CONTENDED;
}
