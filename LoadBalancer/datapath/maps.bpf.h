/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.bpf.h - xdp_lbr's maps, and what a packet's way through it is told by:
 * the decision, and what was looked up for it
 *
 * What both programs have is in common/bpf/maps.h.
 */
#pragma once

#include <stdbool.h>

#include "common/bpf/dry.h"
#include "common/bpf/maps.h"
#include "common/bpf/trace.h"
#include "common/core/abi_heartbeats.h"
#include "common/core/abi_workers.h"
#include "common/core/check.h"
#include "common/core/record.h"

/* What the file says, once for each generation. */
MAP_MAPPED(services, __u32, struct service_cells, GENERATIONS);
MAP_MAPPED(backends, __u32, struct backend_rows, GENERATIONS);

/*
 * The services' tables, of all generations, in chunks. A lookup in an inner map
 * is a call, in any other array a few instructions. So the first chunk, which
 * is enough for most hosts, is no inner map.
 */
MAP_MAPPED(first_chunk, __u32, struct slots, FIRST_CHUNK);
MAP_OF_MAPS(tables, ARRAY, BPF_F_INNER_MAP | BPF_F_MMAPABLE, __u32,
	    struct slots, 1, TABLE_CHUNKS);

/* What the tool knows of this host, and keeps up to date. */
MAP(secrets, ARRAY, __u32, struct secrets, 1);
MAP(route_mtus, HASH, struct addr, __u32, ROUTE_MTUS);
/* Where XDP cannot send out of a device: enum device_lacks. */
MAP_SPARSE(devices, HASH, __u32, __u32, MAX_DEVICES);
/* If the way out is a VLAN device: its port, and its tags. */
MAP(vlan_ports, HASH, __u32, struct vlan_port, MAX_VLANS);
/* This host's addresses when the tool last looked; each value is 1. */
MAP_SPARSE(own_addresses, HASH, struct addr, __u32, MAX_OWN_ADDRESSES);

/* Flows, and what is remembered of them. */
MAP_MAPPED(flows, __u32, struct flow_bucket, 1);
MAP_MAPPED(flow_keys, __u32, struct flow_keys, 1);
MAP(begun_flows, ARRAY, __u32, struct begun_bucket, BEGUN_BUCKETS);
MAP(hot_flows, ARRAY, __u32, struct hot_bucket, HOT_BUCKETS);
MAP(rr_turns, PERCPU_ARRAY, __u32, __u64, MAX_SERVICES);
MAP(inserted, PERCPU_ARRAY, __u32, struct insertions, 1);

/* The way to a backend. */
MAP(next_hops, PERCPU_ARRAY, __u32, struct cached_hop, CACHED_HOPS);
MAP(path_mtus, LRU_HASH, struct addr, struct path_mtu, PATH_MTUS);
MAP(guesses, ARRAY, __u32, struct guesses, 1);

/* Questions for MAC addresses; next hops that share a row take turns. */
#define SOLICITED 64
struct solicited {
	__u64 at; /* jiffies of the last one, or of the first after a pause */
	__u64 count; /* since the pause, at most one in a hundredth */
};
MAP(solicited, PERCPU_ARRAY, __u32, struct solicited, SOLICITED);

/* ICMP errors sent. */
MAP(icmp_errors, PERCPU_ARRAY, __u32, struct budget, 1);
MAP(icmp_shares, PERCPU_ARRAY, __u32, struct budget, ICMP_ERROR_SHARES);

/* What was done with packets; see also `reasons`. */
MAP(service_reasons, LRU_PERCPU_HASH, struct service_reason, __u64,
    SERVICE_REASONS);
MAP(backend_counts, PERCPU_ARRAY, __u32, struct backend_count, BACKEND_INDEXES);
MAP(last_redirected, PERCPU_ARRAY, __u32, struct redirected, 1);

/* Health checks: `lbr run` writes entries, see common/core/check.h. */
MAP_SPARSE(checks, HASH, struct check_key, struct check, MAX_CHECKS);
/*
 * [0]: the veth's end in this namespace, while checks run. The kernel clears it
 * when the veth is removed, which happens when the process ends.
 */
MAP(check_veth, DEVMAP, __u32, __u32, 1);

/* Only for the tool: its file; what health checks found. */
MAP_OF_GENERATIONS(file, ARRAY, BPF_F_INNER_MAP | BPF_F_MMAPABLE, __u32,
		   struct file_page, 1);
MAP_SPARSE(verdicts, HASH, __u32, struct verdict_text, BACKEND_INDEXES);
/* ... and whose heartbeats came, by the sender's address. */
MAP_SPARSE(heartbeats, HASH, struct addr, struct heartbeat_row, MAX_BACKENDS);

/* One packet's way through the program; a trace line tells it. */
struct decision {
	struct packet packet;
	__u64 now;		/* jiffies */
	__u64 hash;		/* of the flow, keyed: see flows.h */
	__s32 fib;		/* the FIB's answer, if it was asked */
	__u32 generation_index; /* of the one that the packet uses */
	__u32 cell;		/* of its service in the table of services */
	__u32 next_hop_index;	/* the next hop's index in next_hops */
	__u16 for_vip;	  /* 0: for none; else 1 + `removing` of its mark */
	__u8 selected_by; /* enum selected_by */
	bool begins;	  /* the first packet of a flow */
	bool asked;	  /* the FIB, for this packet */
};

/* Sets what parse() does not. */
INLINE void decision_begin(struct decision *d)
{
	__builtin_memset(&d->now, 0,
			 sizeof(*d) - __builtin_offsetof(struct decision, now));
}

/* What was looked up for it. */
struct lookup {
	const struct interface *in;
	const struct generation *generation;
	const struct service *service;
	const struct backend *backend;
	const struct cached_hop *hop;
};

/*
 * What a separately verified function gets of a decision, and what it answers:
 * [0], see common/bpf/hand.h. What only such a function needs is here and not
 * in the decision, which is on the program's stack.
 */
struct handed {
	struct decision decision;
	__u32 backend_id; /* selected; or to which the next hop is asked */
	/* A selection: see select_anew(). */
	__u32 before_id; /* by the generation before */
	__u8 keep;	 /* enum keep */
	bool known;	 /* as of struct selecting */
	bool lives;
	/* The question for a next hop: see hop_ask(). */
	struct addr own[2];   /* of the incoming interface */
	__u64 next_hop_group; /* which packets share the next hop */
	__u32 device;	      /* the incoming one, as the FIB knows it */
	__u32 tos;	      /* as route_question() takes it */
	struct method method;
	bool generic; /* what XDP sees may not be what was on the wire */
	/* What there is to tell of the decision: see gather(). */
	__u32 ifindex; /* these two name its row in `interfaces`; 0: none */
	__u64 mac;     /* as mac_number() */
	bool has_service;
	bool has_hop;
	/* A health check's socket: see check_of(). */
	struct check_key check;
	/* A packet that is served apart: see apart.bpf.h. */
	__u8 outcome;  /* enum reason; REASON_NONE: it goes to backend_id */
	bool released; /* it came to the service's `release` port */
	bool replaced; /* it has become another, that had to wait */
	/* Of workers.bpf.h: the slot that was taken, and what is in it. */
	__u8 slot;
	bool partial_sum; /* see workers_sum_is_partial() */
	__u8 event;	  /* of a server's message: enum workers_event */
	__u64 taken;
	__u64 place;  /* of the request in the queue, from 1 on */
	__u64 waited; /* ns that the request from the queue was in it */
};
MAP(scratch, PERCPU_ARRAY, __u32, struct handed, 1);

/* What was handed over; NULL: never, but for the verifier. */
INLINE struct handed *handed(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

INLINE struct handed *hand_decision(const struct decision *d)
{
	struct handed *h = handed();

	if (h)
		h->decision = *d;
	return h;
}

/* A line of the trace, and what only xdp_lbr says in it. */
struct lbr_line {
	struct line line;
	struct addr backend;
	struct addr via;
	__s64 fib;    /* its answer */
	__u8 mac[6];  /* of the next hop */
	__u8 from[6]; /* the source MAC address */
	__u8 asked;   /* the FIB was asked; else it is the cached answer */
	__u8 has_backend;
	__u8 selected_by; /* enum selected_by */
	__u8 forward;	  /* enum forward */
	__u8 has_hop;
	__u8 begins;
	__u8 is_traced; /* the line is wanted */
	__u8 is_watched;
	__u16 mtu;
	__u32 generation_index;
	__u32 service; /* struct service.id; 0: none */
	__u32 in;
	__u32 out;
	char dev[48];	/* text: outgoing interface and source MAC address */
	char free[200]; /* text: see workers_trace.bpf.h */
};

/* The line under construction. */
MAP(lines, PERCPU_ARRAY, __u32, struct lbr_line, 1);

/* `lbr watch`: who watches, for what, and each one's ring buffer. */
struct watched_shape {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, WATCH_BYTES);
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__type(key, __u32);
	__uint(max_entries, WATCHERS);
	__array(values, struct watched_shape);
} watched SEC(".maps");
MAP(watch, ARRAY, __u32, struct watch, WATCHERS);
MAP(watch_lost, ARRAY, __u32, __u64, WATCHERS);

/* Services that are served apart: see apart.bpf.h. */
MAP(programs, PROG_ARRAY, __u32, __u32, APART_PROGRAMS);

/* `scheduler: workers`: see abi_workers.h, workers.bpf.h. */
MAP_SPARSE(pools, HASH, struct pool_key, struct workers_pool, MAX_POOLS);
MAP_SPARSE(pool_states, HASH, __u32, struct pool_state, MAX_POOLS);
MAP_SPARSE(workers, HASH, struct workers_key, struct workers, BACKEND_INDEXES);
/* By struct service.id; the tool makes the queues. */
struct queue_shape {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(key_size, 0);
	__uint(value_size, sizeof(struct queued));
	__uint(max_entries, 1);
};
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__uint(max_entries, MAX_POOLS);
	__array(values, struct queue_shape);
} queues SEC(".maps");
/* A request on its way into a queue, or out of it. */
MAP(queue_frame, PERCPU_ARRAY, __u32, struct queued, 1);

#if DRY_RUN
/* `lbr explain`: what became of the packet of a question. */
MAP(explained, ARRAY, __u32, struct record, 1);
#endif
