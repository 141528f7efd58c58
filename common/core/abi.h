/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi.h - what the programs and the tools write into maps for each other
 *
 * Every struct here is a map key or value. The same text is compiled for BPF,
 * for the tools and for the tests, so a layout is said once. The rules: fixed
 * width, no holes (padding has a name and is zero), a _Static_assert on each
 * size. __beNN is in wire order, __uNN in host order. Times are in jiffies,
 * the one clock a program reads for a nanosecond (bpf_jiffies64); the tool
 * learns the tick from clock_getres(CLOCK_MONOTONIC_COARSE).
 *
 * If a layout here is changed, no release may have the number in L3DSR_LAYOUT.
 * It is part of the path of every pin, so that a new tool never reads an old
 * map as its own.
 *
 * Services and what belongs to them are in abi_services.h, what packets leave
 * in abi_packets.h.
 */
#pragma once

#include <linux/types.h>

/* No release has v5 yet: v4 was the last. */
#define L3DSR_LAYOUT "v5"

/* How many of each one configuration file may have. */
#define MAX_SERVICES 4096
#define MAX_BACKENDS 8192

/*
 * A backend (one line under a service's `backends:`) has an index below
 * BACKEND_INDEXES, and keeps it as long as any generation has the backend.
 * There are twice MAX_BACKENDS, so that a file can be replaced by an entirely
 * different one.
 */
#define BACKEND_INDEXES 16384

/*
 * Generations in the kernel: the current one, the previous one, the one being
 * built, and a spare.
 */
#define GENERATIONS 4

/* Interfaces and MAC addresses (macvlan, VRRP) that one host may answer to. */
#define MAX_INTERFACES 64

/*
 * VLAN devices, counted once for each port by which their frames come in: a
 * bond has several.
 */
#define MAX_VLANS 512
/* Prefixes of `lb-sources`. */
#define MAX_SOURCES 64

/* What a program is told when it is loaded; only another load changes it. */
struct constants {
	char host[64];	    /* the host's name, for the trace */
	__u8 has_frags;	    /* frames may have several buffers (5.18) */
	__u8 can_trace;	    /* bpf_trace_vprintk() is there (5.16) */
	__u8 has_mtu;	    /* bpf_check_mtu() is there (5.12) */
	__u8 has_apart;	    /* 64-bit compare-and-exchange (5.12) and
			       bpf_xdp_store_bytes() (5.18) are there */
	__u32 flow_buckets; /* of the flow table */
	__u32 fragment_age; /* jiffies that a first fragment is remembered */
	__u32 mtu_age;	    /* jiffies that a path's MTU is remembered */
	__u32 second;	    /* in jiffies */
	__u8 has_sockets;   /* maps of sockets are there (BPF_STREAM_PARSER,
			       until 5.12 an option of its own) */
	__u8 zero[3];
};
_Static_assert(sizeof(struct constants) == 88, "constants");

/* Indexes of the map `programs`: see LoadBalancer/datapath/apart.bpf.h. */
enum apart_program {
	APART_workers, /* decides where a packet for workers goes */
	APART_send,    /* sends what another one has decided about */
	APART_PROGRAMS,
};

/* An IPv6 address; an IPv4 address as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct addr {
	__be32 w[4];
};
_Static_assert(sizeof(struct addr) == 16, "addr");

/*
 * Addresses that have the same first `bits`; 0: none. For IPv4 it is the prefix
 * length plus 96.
 */
struct prefix {
	__u32 bits; /* first, because this is the key of an LPM trie */
	struct addr address;
};
_Static_assert(sizeof(struct prefix) == 20, "prefix");

/*
 * Words of `control`, a map with one value: the program reads them where they
 * are, without a lookup. Each is a __u32, and is written alone.
 */
enum control {
	CONTROL_GENERATION, /* generation index + 1; 0: none yet */
	CONTROL_TRACE,	    /* enum trace */
	CONTROL_SERVICE_ID, /* the last struct service.id given; for the tool */
	CONTROL_WAITING,    /* xdp_lbr: is lbr_waiting behind it? */
	CONTROLS,
};

/*
 * Random bytes that only this host knows, one key for each use: the map
 * `secrets`, [0]. The first `up` fills it (getrandom(2)); the pin keeps it over
 * restart, change and upgrade. All zero: not filled yet.
 */
#define SECRET_WORDS 2
#define FLOW_KEYS    16
struct secrets {
	__u64 flow[FLOW_KEYS];	  /* for the flow table's hash, see flows.h */
	__u64 mark[SECRET_WORDS]; /* for marks in outer headers, see mark.h */
	__u64 icmp_error[SECRET_WORDS]; /* for the shares of its budget */
};
_Static_assert(sizeof(struct secrets) == 160, "secrets");

/* In the value of CONTROL_TRACE. */
enum trace {
	TRACE_OFF,
	TRACE_NEW, /* the first packet of a flow */
	TRACE_ALL,
	TRACE_MODE = 0xff,
	TRACE_WATCHED = 0x100, /* xdp_lbr: somebody watches, or has done */
};

/*
 * How many `lbr watch` may run at a time. A watcher has one index in three
 * maps: `watch` has its filter, `watched` its ring buffer of WATCH_BYTES (none
 * while nobody watches), and `watch_lost` counts the decisions for which the
 * ring buffer had no room.
 */
#define WATCHERS    4
#define WATCH_BYTES (1 << 20)

enum watch_filter {
	WATCH_END = 1,	  /* `address`, `port` and `protocol` */
	WATCH_REASON = 2, /* `reason` */
};

/* A watcher and what it wants: watch.h. */
struct watch {
	__u64 until; /* jiffies; later, the watcher is gone */
	struct addr address;
	__be16 port;   /* 0: any */
	__u8 protocol; /* IPPROTO_*; 0: any */
	__u8 reason;   /* enum reason */
	__u8 filter;   /* enum watch_filter; 0: every decision */
	__u8 zero[3];
};
_Static_assert(sizeof(struct watch) == 32, "watch");
