/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_workers.h - services of `scheduler: workers` in maps
 *
 * The rules are in schedulers/workers.h.
 */
#pragma once

#include "common/core/abi.h"

/* The most that a file may say. */
#define MAX_THREADS	 64 /* of one backend */
#define MAX_POOL_MEMBERS 64 /* backends of such a service */
#define MAX_QUEUE	 65536
#define MAX_POOLS	 (GENERATIONS * MAX_SERVICES)

/*
 * What a generation says of such a service. `threads` is this load balancer's
 * share of each backend's.
 */
struct pool_key {
	__u32 generation; /* index */
	__u32 service;	  /* struct service.id */
};
_Static_assert(sizeof(struct pool_key) == 8, "pool_key");

#define RELEASE_KEY 16
struct workers_pool {
	__u64 lease; /* jiffies */
	__u32 threads;
	__u32 has_key;
	__u8 key[RELEASE_KEY]; /* padded with zeros */
};
_Static_assert(sizeof(struct workers_pool) == 32, "workers_pool");

/* The threads of a backend of a service; they outlive generations. */
struct workers_key {
	struct addr address;
	__u32 service; /* struct service.id */
};
_Static_assert(sizeof(struct workers_key) == 20, "workers_key");

struct workers {
	__u64 slot[MAX_THREADS];
	__u32 backend; /* struct backend.id */
	/* The tool's: slots that were busy when the backend went down. */
	__u32 given_up;
};
_Static_assert(sizeof(struct workers) == MAX_THREADS * 8 + 8, "workers");

/* What happened at a service, since it came into the file. */
enum pool_count {
	POOL_SENT,	 /* requests */
	POOL_FROM_QUEUE, /* of these */
	POOL_DONE,	 /* slots that a server's message freed */
	POOL_EXPIRED,	 /* slots whose lease ended */
	POOL_SMALL,	 /* frames that could not become the queued request */
	POOL_COUNTS,
};

/* Waits in the queue: up to 1 ms, up to 2 ms, ... up to 65.536 s, and longer.
 */
#define WORKER_WAITS 18
struct pool_state {
	__u64 queued; /* now */
	__u64 counts[POOL_COUNTS];
	__u64 waited; /* ns, all of `waits` together */
	__u64 waits[WORKER_WAITS];
};
_Static_assert(sizeof(struct pool_state) ==
		       8 * (2 + POOL_COUNTS + WORKER_WAITS),
	       "pool_state");

/* A request in the queue: its IP packet, as it came. */
#define QUEUED_MOST 1500
struct queued {
	__u64 since;	       /* ns, of CLOCK_MONOTONIC */
	__u16 length;	       /* of the IP packet, bytes */
	__u16 has_partial_sum; /* see workers_sum_is_partial() */
	__u8 bytes[QUEUED_MOST];
};
_Static_assert(sizeof(struct queued) == 1512, "queued");

/*
 * A server's message that it is done with a request, as UDP payload. If it does
 * not begin so, it says nothing but that. All that a service has a
 * `release-key` for must carry it.
 */
#define DONE_MAGIC 0x646f6e65 /* "done", in wire order */
/* "wait": nobody is done, but what waits may leave. `lbr run` says so. */
#define SERVE_MAGIC 0x77616974
struct done {
	__be32 magic;
	__u8 key[RELEASE_KEY];
	struct addr client; /* whose request it was; all zero: the oldest */
	__be16 port;
	__u16 zero;
};
_Static_assert(sizeof(struct done) == 40, "done");

/*
 * Key of a service's cell by its `release` port: with this protocol, and no
 * address.
 */
#define PROTOCOL_RELEASE 254
