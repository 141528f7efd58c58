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
 * A change of any layout here is a change of L3DSR_LAYOUT: it is part of the
 * path of every pin, so that a new tool never reads an old map as its own.
 */
#pragma once

#include <linux/types.h>

#include "common/core/method.h"

#define L3DSR_LAYOUT "v4"

/* Most that one configuration file may name. */
#define MAX_SERVICES 4096
#define MAX_BACKENDS 8192

/*
 * A backend (one line under a service's `backends:`) has an index below
 * BACKEND_SLOTS and keeps it as long as any generation names it. Twice
 * MAX_BACKENDS, so that one file can be replaced by an entirely different one.
 */
#define BACKEND_SLOTS 16384

/* Generations in the kernel: current, previous, the one being built, spare. */
#define GENERATIONS 4

/* Interfaces and MAC addresses (macvlan, VRRP) that one host may answer to. */
#define MAX_INTERFACES 64

/* VLAN devices, and for each the ways in: a bond has several. */
#define MAX_VLANS 512
/* Prefixes of `lb-sources`. */
#define MAX_SOURCES 64

/* What a program is told when it is loaded; cannot change without a load. */
struct constants {
	char host[64];	/* the host's name, for the trace */
	__u8 has_frags; /* frames may have several buffers (5.18) */
	__u8 can_trace; /* bpf_trace_vprintk() is there (5.16) */
	__u8 has_mtu;	/* bpf_check_mtu() is there (5.12) */
	__u8 zero;
	__u32 flow_buckets; /* of the flow table */
	__u32 fragment_age; /* jiffies that a first fragment is remembered */
	__u32 mtu_age;	    /* jiffies that a path's MTU is remembered */
};
_Static_assert(sizeof(struct constants) == 80, "constants");

/* An IPv6 address; an IPv4 address as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct addr {
	__be32 w[4];
};
_Static_assert(sizeof(struct addr) == 16, "addr");

/* Addresses that begin with the same `bits`; 0: none. An IPv4 one has 96 more.
 */
struct prefix {
	__u32 bits; /* first: so it is the key of an LPM trie */
	struct addr address;
};
_Static_assert(sizeof(struct prefix) == 20, "prefix");

/*
 * What a client connects to. Port 0 is "any port". Protocol and port 0 is the
 * mark "this address is a VIP", which every VIP has besides its services.
 * IPPROTO_FRAGMENT and its PORT_UNKNOWN, which no packet has, is the service
 * that takes fragments of UDP of which nothing else is known (`by_address`).
 */
#define PORT_UNKNOWN 0x0101 /* in either byte order */
struct service_key {
	struct addr vip;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, or as above */
	__u8 zero;
};
_Static_assert(sizeof(struct service_key) == 20, "service_key");

/* Where one address is written over another: the checksum above IP. */
enum checksum {
	CHECKSUM_KEEP,	 /* is that of the VIP all the way */
	CHECKSUM_UPDATE, /* is true all the way */
};

/* What is done to a packet for the service, and undone at the backend. */
struct method {
	__u8 forward;  /* enum forward */
	__u8 checksum; /* enum checksum */
	__u8 dscp;     /* FORWARD_DSCP: the value, else 0 */
};
_Static_assert(sizeof(struct method) == 3, "method");

/*
 * A service of one generation. Its table is `table_size` u16 backend indices
 * from slot `table_first` on in the generation's `tables` map, four to an
 * element. table_size 0: no backend takes new flows; then table_first is
 * NO_TABLE_PASS where the kernel is to have them.
 */
#define NO_TABLE_PASS 1
struct service {
	__u32 id; /* never given to another (VIP, port, protocol) */
	__u32 table_first;
	__u32 table_size;
	__u8 scheduler; /* enum scheduler, see scheduler.h */
	struct method method;
	__u16 turns; /* its place in the map `turns` */
	/*
	 * 0: it is in the file. Else it has left, and has no table: 1 + the
	 * index of its backend that stays longest, so `until` there is its end.
	 */
	__u16 leaving;
};
_Static_assert(sizeof(struct service) == 20, "service");

/*
 * A place of the `services` map of a generation, see directory.h. More than
 * twice as many as there can be keys: every service of a file and as many that
 * have left it, the mark of each one's VIP, and again where it takes fragments.
 */
#define DIRECTORY_PLACES (16 * MAX_SERVICES)
struct directory_entry {
	struct service_key key;
	struct service service;
	__u16 port_mask; /* 0: ports make no difference, see `by_address` */
	__u8 protocol;	 /* of the service */
	__u8 used;
};
_Static_assert(sizeof(struct directory_entry) == 44, "directory_entry");

/* Of a generation, in the `services` map. */
struct directory_places {
	struct directory_entry at[DIRECTORY_PLACES];
};

/*
 * A slot: the index of its backend, and SLOT_MOVED where it has had another
 * since the flow table was made. In a slot that has not, the flow table cannot
 * know better than the table.
 */
#define SLOT_MOVED   0x8000
#define SLOT_BACKEND (BACKEND_SLOTS - 1)
_Static_assert(BACKEND_SLOTS <= SLOT_MOVED, "a slot holds an index");
#define SLOTS_PER_ELEMENT 4
struct slots {
	__u16 slot[SLOTS_PER_ELEMENT];
};
_Static_assert(sizeof(struct slots) == 8, "slots");

/*
 * Which flows a backend gets. It follows from what is wanted of it and from
 * what health checks found: common/config/state.h.
 */
enum backend_state {
	BACKEND_ABSENT, /* no backend has this index in this generation */
	BACKEND_ACTIVE,
	BACKEND_DRAINING, /* keeps its flows, gets no new ones */
	BACKEND_DOWN,	  /* its flows are selected anew */
	BACKEND_LEAVING,  /* not in the file: drains, and has an end */
};

/* What health checks have found of a backend. */
enum health_finding {
	FINDING_NONE, /* not checked, or no check has said anything yet */
	FINDING_UP,
	FINDING_APPLICATION_DOWN, /* something came back, and was bad */
	FINDING_PATH_DOWN, /* nothing came back from the VIP, or none was sent
			    */
};

/* What of a backend is as a verb has set it, and not as the file says. */
enum by_hand {
	BY_HAND_STATE = 1,
	BY_HAND_WEIGHT = 2,
};

/*
 * A backend of a service, at its index. The id is index + n * BACKEND_SLOTS,
 * at most FLOW_BACKEND, and is never given to another (service, address): a
 * flow that names an id which is no longer here is selected anew. Where the
 * state is absent, the id is the last that was given to this index.
 */
struct backend {
	struct addr address;
	__u32 id;
	__u32 service; /* struct service.id */
	__u16 weight;
	__u8 state;   /* enum backend_state */
	__u8 by_hand; /* enum by_hand; the tool's */
	__u8 finding; /* enum health_finding; the tool's */
	__u8 drain;   /* it is wanted to drain; the tool's */
	__u16 mtu;    /* of the way there, as the file says; 0: it does not */
};
_Static_assert(sizeof(struct backend) == 32, "backend");

/* Of a generation, in the `backends` map. */
struct backend_rows {
	struct backend at[BACKEND_SLOTS];
	__u64 until[BACKEND_SLOTS]; /* jiffies; of one that is leaving */
	/* The tool's, in seconds of Unix time: since when the state of a
	 * backend, or of the service at its index in `turns`, holds. */
	__u64 since[BACKEND_SLOTS];
	__u64 service_since[MAX_SERVICES];
};
_Static_assert(sizeof(struct backend_rows) ==
		       BACKEND_SLOTS * 48 + MAX_SERVICES * 8,
	       "backend_rows");

/* What becomes of a packet for a VIP and for none of its services. */
enum unmatched {
	UNMATCHED_LOCAL, /* dropped, but where the VIP is the host's address */
	UNMATCHED_DROP,
	UNMATCHED_PASS,
};

/*
 * Of the map `devices`, by ifindex: why a packet cannot be sent out of a device
 * by XDP. A device without a row takes all frames.
 */
#define MAX_DEVICES 16384
enum device_lacks {
	DEVICE_NO_ETHERNET = 1, /* its packets have no such header: tun, gre */
	DEVICE_NO_XMIT = 2, /* ndo_xdp_xmit: none redirected in native mode */
};

/* Of this host, that xdp_lbr knows. */
#define MAX_OWN_ADDRESSES 16384

/*
 * The tool's, by struct backend.id: why checks found the backend down, as text
 * that ends with NUL. A backend that is not down has none.
 */
#define VERDICT_TEXT 208
struct verdict_text {
	char why[VERDICT_TEXT];
};
_Static_assert(sizeof(struct verdict_text) == 208, "verdict_text");

#define VIP_BITS 4096

/*
 * What else a generation says. `previous` is the generation slot that
 * handshakes begun before it still go by until `grace_until` (jiffies).
 */
struct generation {
	__u64 number;	      /* counts from 1 */
	__u64 grace_until;    /* jiffies */
	__u64 udp_idle;	      /* jiffies */
	__u64 next_hop_age;   /* jiffies; 0: the FIB is asked for each packet */
	__u32 previous;	      /* generation slot; its own where there is none */
	__u32 insert_limit;   /* flows remembered per second and CPU */
	__u32 insert_window;  /* jiffies in a second */
	__u32 directory_seed; /* where services lie: see directory.h */
	__u8 unmatched;	      /* enum unmatched */
	__u8 hops_by_flow;    /* routes look at more than the destination */
	__u8 recent_shift;    /* "recent" is within 2^this jiffies */
	__u8 claim;	      /* the tool's: the VIPs are answered for */
	__u32 answer_limit;   /* ICMP errors per second and CPU */
	__u8 digest[32];      /* of what its file means: see write.h */
	struct prefix outer_source[2]; /* IPv4, IPv6; bits 0: its own address */
	__u64 vips[VIP_BITS / 64];     /* xdp_lbr: see directory.h */
};
_Static_assert(sizeof(struct generation) == 640, "generation");

/* Of the `file` map of a generation: its text, and zeros behind it. */
struct file_page {
	char text[4096];
};
_Static_assert(sizeof(struct file_page) == 4096, "file_page");

/* Keys of the `control` map; each value is one __u32. */
enum control {
	CONTROL_GENERATION, /* generation slot + 1; 0: none yet */
	CONTROL_TRACE,	    /* enum trace */
	CONTROL_SERVICE_ID, /* the last struct service.id given; the tool's */
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
	__u64 flow[FLOW_KEYS];	    /* the flow table's hash, see flows.h */
	__u64 mark[SECRET_WORDS];   /* marks in outer headers, see mark.h */
	__u64 answer[SECRET_WORDS]; /* shares of the answer budget */
};
_Static_assert(sizeof(struct secrets) == 160, "secrets");

/* In the word of CONTROL_TRACE. */
enum trace {
	TRACE_OFF,
	TRACE_NEW, /* the first packet of a flow */
	TRACE_ALL,
	TRACE_MODE = 0xff,
	TRACE_WATCHED = 0x100, /* xdp_lbr: somebody watches, or has done */
};

/*
 * `lbr watch`: as many at the same time. Each has an index: of its row in the
 * map `watch`, of its ring buffer of WATCH_BYTES in `watched` (there is none
 * where nobody watches), and in `watch_lost` of the decisions for which that
 * had no room.
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

/*
 * A flow of a service. The VIP and the protocol are those of the service; the
 * destination port is there for services of any port.
 */
struct flow_key {
	struct addr source;
	__be16 source_port;
	__be16 port;
	__u32 service; /* struct service.id */
};
_Static_assert(sizeof(struct flow_key) == 24, "flow_key");

/* A place of the flow table; see flows.h. */
struct flow {
	__u64 hash;    /* of the flow; 0: the place is empty */
	__u32 backend; /* struct backend.id, FLOW_ENDS, FLOW_BEGINS */
	__u32 seen;    /* low half of jiffies at a recent packet */
};
_Static_assert(sizeof(struct flow) == 16, "flow");
#define FLOW_ENDS    0x80000000u /* its client has sent FIN or RST */
#define FLOW_BEGINS  0x40000000u /* only SYNs have come: makes room for any */
#define FLOW_BACKEND 0x3fffffffu

#define FLOWS_PER_BUCKET 4
struct flow_bucket { /* one cache line */
	struct flow flows[FLOWS_PER_BUCKET];
};
_Static_assert(sizeof(struct flow_bucket) == 64, "flow_bucket");

/* Whose flows those are, in another map: for people. */
struct flow_keys {
	struct flow_key keys[FLOWS_PER_BUCKET];
};
_Static_assert(sizeof(struct flow_keys) == 96, "flow_keys");

/* Flows of which one packet has come; see begun.h. 0: an empty way. */
#define BEGUN_BUCKETS	 (1 << 12)
#define BEGUN_PER_BUCKET 8
struct begun_bucket { /* one cache line */
	__u64 notes[BEGUN_PER_BUCKET];
};
_Static_assert(sizeof(struct begun_bucket) == 64, "begun_bucket");

/* What the flow table said a moment ago; see recent.h. */
#define RECENT_BUCKETS	  (1 << 15)
#define RECENT_PER_BUCKET 4
struct recent_bucket {
	__u64 flows[RECENT_PER_BUCKET];
};
_Static_assert(sizeof(struct recent_bucket) == 32, "recent_bucket");

/*
 * The VLAN tags of a frame, see vlan.h. 0: there is none; no inner one without
 * an outer one.
 */
struct vlan {
	__u16 outer;
	__u16 inner;
};
_Static_assert(sizeof(struct vlan) == 4, "vlan");

/* Of the map `vlans`: what comes in by `port` with these tags. */
struct vlan_key {
	__u32 port; /* ifindex */
	struct vlan vlan;
};
_Static_assert(sizeof(struct vlan_key) == 8, "vlan_key");

/* Of the map `vlan_ports`, by ifindex of the VLAN device. */
struct vlan_port {
	__u32 port; /* ifindex */
	struct vlan vlan;
};
_Static_assert(sizeof(struct vlan_port) == 8, "vlan_port");

/*
 * A packet that came in fragments, and what its first fragment said that the
 * others do not. IPv6's id is of all protocols (RFC 8200 4.5).
 */
#define FRAGMENTED	 65536
#define FRAGMENT_SECONDS 5
struct fragment_key {
	struct addr source;
	struct addr destination;
	__u32 id;
	__u8 protocol; /* IPv4's; 0 for IPv6 */
	__u8 zero[3];
};
_Static_assert(sizeof(struct fragment_key) == 40, "fragment_key");

struct fragment {
	__u64 seen; /* jiffies */
	__be16 source_port;
	__be16 port;
	__u8 protocol; /* the transport's */
	__u8 zero[3];
};
_Static_assert(sizeof(struct fragment) == 16, "fragment");

/*
 * By a backend's address: what a router on the way there has said of the MTU
 * behind it, in an error about an outer header of ours, proven by its mark
 * (mark.h).
 */
#define PATH_MTUS	 4096
#define PATH_MTU_SECONDS 600
struct path_mtu {
	__u64 seen; /* jiffies */
	__u32 mtu;
	__u32 zero;
};
_Static_assert(sizeof(struct path_mtu) == 16, "path_mtu");

/*
 * Wrong marks in such errors, host-wide: the map `guesses`, [0]. CPUs that
 * count at once may let a few more through.
 */
struct guesses {
	__u64 second; /* jiffies / jiffies in a second */
	__u64 wrong;  /* in that second */
};
_Static_assert(sizeof(struct guesses) == 16, "guesses");

/*
 * Per CPU: ICMP errors sent in one window, for all clients (map `answers`, of
 * time exceeded) or for those who share a cell (map `answer_shares`, of packets
 * that are too big). Which cell a client has is its address (IPv6: its /64),
 * hashed with a secret. A cell has one part of `answer-limit`.
 */
#define ANSWER_SHARES 4096
#define ANSWER_PARTS  16
struct answers {
	__u64 window; /* jiffies / struct generation.insert_window */
	__u64 count;
};
_Static_assert(sizeof(struct answers) == 16, "answers");

/*
 * By a backend's address: the least MTU that a route of this host to it is
 * locked to, bytes. The tool's to fill (path_mtus.c).
 */
#define ROUTE_MTUS MAX_BACKENDS

/*
 * Per CPU: what the FIB answered to the question how a backend is reached.
 * Direct-mapped: what does not fit beside another takes its place.
 */
#define CACHED_HOPS BACKEND_SLOTS
struct cached_hop {
	__u64 asked;	/* jiffies; 0: no answer is here */
	__u64 flow;	/* 0: for all packets to the backend; else one flow's */
	__u32 backend;	/* struct backend.id */
	__u32 in;	/* ifindex the packet came in by ... */
	__u32 out;	/* ... and is to leave by; `in`: the way it came */
	__u16 mtu;	/* the largest packet that it takes whole, bytes */
	__u16 link_mtu; /* the same, of the way out alone */
	struct addr via;
	__u8 destination[6]; /* MAC addresses */
	__u8 source[6];
	struct vlan vlan; /* tags that it is to leave with */
};
_Static_assert(sizeof(struct cached_hop) == 64, "cached_hop");

/* Insertions into the flow table in one window, per CPU. */
struct insertions {
	__u64 window; /* jiffies / struct generation.insert_window */
	__u64 count;
	__u64 begun;   /* the same of those at a SYN: a limit of their own */
	__u64 refused; /* since the load: those over insert_limit */
	__u64 evicted; /* since the load: others that had to make room */
};
_Static_assert(sizeof(struct insertions) == 40, "insertions");

/* Per CPU; what has been sent to a backend, at its index. */
struct backend_count {
	__u64 packets;
	__u64 bytes; /* of the frames; a GSO super-packet is one */
	__u64 flows; /* begun: SYNs, and unknown flows of UDP */
};
_Static_assert(sizeof(struct backend_count) == 24, "backend_count");

/* Per CPU: the packet that was redirected last, as it was counted. */
struct redirected {
	__u32 service; /* struct service.id */
	__u32 backend; /* struct backend.id */
	__u32 bytes;   /* of the frame; 0: it was put right */
	__u32 begins;  /* 1: a flow */
};
_Static_assert(sizeof(struct redirected) == 16, "redirected");

/*
 * Per CPU; packets of a service that were not sent to a backend, by why. Those
 * that were are in the counts of its backends.
 */
#define SERVICE_REASONS 8192
struct service_reason {
	__u32 service; /* struct service.id */
	__u32 reason;
};
_Static_assert(sizeof(struct service_reason) == 8, "service_reason");

/* A MAC address that a frame for this host may carry, and where. */
struct interface {
	__u32 ifindex; /* 0 ends the list */
	__u32 device;  /* as the FIB knows it: for a bond's leg, the bond */
	__u8 mac[6];
	__u16 generic;	    /* the program sees GSO super-packets here */
	char name[16];	    /* IFNAMSIZ, for people */
	struct addr own[2]; /* IPv4, IPv6: what it sends from; 0: none */
	__u8 own_mac[6]; /* of `device`: what is handed to the kernel is for it
			  */
	__u16 zero;
};
_Static_assert(sizeof(struct interface) == 72, "interface");

/*
 * xdp_bkd: what says to which service a packet belongs that a load balancer
 * sent to one of this host's addresses, and how it is undone. Port 0 is "any
 * port".
 */
struct restore_key {
	struct addr address; /* the destination: this host's; l2: the VIP */
	struct addr inner;   /* ipip: that of the packet inside, the VIP */
	__be16 port;
	__u8 protocol;
	__u8 dscp; /* the method dscp, else 0 */
};
_Static_assert(sizeof(struct restore_key) == 36, "restore_key");

struct restore {
	struct addr vip;
	__u64 until; /* jiffies; 0: for good. Set when it left the file. */
	struct method method;
	__u8 zero;
	__u32 counter; /* of `restore_counts`; 0: it is not counted */
};
_Static_assert(sizeof(struct restore) == 32, "restore");

/* Those of two generations, for any address, and [0], which is nobody's. */
#define MAX_RESTORES (MAX_SERVICES * 2)
#define MAX_COUNTERS (MAX_RESTORES * 2 + 1)

/* One thing `up` changed on the host: text, NUL-ended. */
struct change {
	char kind[16];	 /* "sysctl", "address", ...; "" ends the list */
	char what[112];	 /* e.g. "net/ipv4/conf/eth0/forwarding" */
	char before[60]; /* what it was, e.g. "0" */
	__u32 ifindex; /* of the interface that `what` names; 0: it does not */
};
_Static_assert(sizeof(struct change) == 192, "change");
#define MAX_CHANGES 1024
