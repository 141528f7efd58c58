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

/* How many of each one configuration file may have. */
#define MAX_SERVICES 4096
#define MAX_BACKENDS 8192

/*
 * A backend (one line under a service's `backends:`) has an index below
 * BACKEND_SLOTS, and keeps it as long as any generation has the backend. There
 * are twice MAX_BACKENDS, so that a file can be replaced by an entirely
 * different one.
 */
#define BACKEND_SLOTS 16384

/*
 * Generations in the kernel: the current one, the previous one, the one being
 * built, and a spare.
 */
#define GENERATIONS 4

/* Interfaces and MAC addresses (macvlan, VRRP) that one host may answer to. */
#define MAX_INTERFACES 64

/*
 * VLAN devices; and for each, the ports by which its frames come in: a bond has
 * several.
 */
#define MAX_VLANS 512
/* Prefixes of `lb-sources`. */
#define MAX_SOURCES 64

/* What a program is told when it is loaded; only another load changes it. */
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
 * What a client connects to. Port 0 is "any port". Protocol 0 with port 0 marks
 * an address as a VIP; every VIP has this entry besides its services.
 * IPPROTO_FRAGMENT with PORT_UNKNOWN, which no packet has, is the service that
 * takes UDP fragments whose ports are not known (`by_address`).
 */
#define PORT_UNKNOWN 0x0101 /* in either byte order */
struct service_key {
	struct addr vip;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP, or as above */
	__u8 zero;
};
_Static_assert(sizeof(struct service_key) == 20, "service_key");

/* The TCP or UDP checksum, where one address is written over another. */
enum checksum {
	CHECKSUM_KEEP,	 /* stays that of the VIP */
	CHECKSUM_UPDATE, /* is true on the wire */
};

/* What is done to a service's packets, and undone at the backend. */
struct method {
	__u8 forward;  /* enum forward */
	__u8 checksum; /* enum checksum */
	__u8 dscp;     /* FORWARD_DSCP: the value, else 0 */
};
_Static_assert(sizeof(struct method) == 3, "method");

/*
 * A service of one generation. Its table is `table_size` u16 backend indices,
 * from slot `table_first` on, in the generation's `tables` map, four to an
 * element. With table_size 0, no backend takes new flows; table_first is then
 * NO_TABLE_PASS if they are to be passed to the kernel.
 */
#define NO_TABLE_PASS 1
struct service {
	__u32 id; /* never given to another (VIP, port, protocol) */
	__u32 table_first;
	__u32 table_size;
	__u8 scheduler; /* enum scheduler, see scheduler.h */
	struct method method;
	__u16 turns; /* its index in the map `turns` */
	/*
	 * 0: the service is in the file. Else it was removed and has no table:
	 * 1 + the index of the backend that drains longest, whose `until` is
	 * the service's end, too.
	 */
	__u16 leaving;
};
_Static_assert(sizeof(struct service) == 20, "service");

/*
 * A cell of a generation's `services` map, see directory.h. There are more than
 * twice as many cells as there can be keys: the services of a file, as many
 * that were removed from it, and for each of these the mark of its VIP and
 * possibly the entry for its fragments.
 */
#define DIRECTORY_PLACES (16 * MAX_SERVICES)
struct directory_entry {
	struct service_key key;
	struct service service;
	__u16 port_mask; /* 0: ports do not matter, see `by_address` */
	__u8 protocol;	 /* of the service */
	__u8 used;
};
_Static_assert(sizeof(struct directory_entry) == 44, "directory_entry");

/* Of a generation, in the `services` map. */
struct directory_places {
	struct directory_entry at[DIRECTORY_PLACES];
};

/*
 * A slot: the index of its backend, and SLOT_MOVED if it has had another one
 * since the flow table was created. For a slot that has not moved, the flow
 * table can only say the same as the service's table.
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
	BACKEND_LEAVING,  /* not in the file: drains until `until` */
};

/* What health checks found about a backend. */
enum health_finding {
	FINDING_NONE, /* not checked, or no result yet */
	FINDING_UP,
	FINDING_APPLICATION_DOWN, /* something came back, and it was bad */
	FINDING_PATH_DOWN, /* nothing came back from the VIP, or none was sent
			    */
};

/* What a verb has set for a backend, against the file. */
enum by_hand {
	BY_HAND_STATE = 1,
	BY_HAND_WEIGHT = 2,
};

/*
 * A backend of a service, at its index. The id is index + n * BACKEND_SLOTS, at
 * most FLOW_BACKEND, and is never given to another (service, address): a flow
 * with the id of a backend that is gone is selected anew. If the state is
 * BACKEND_ABSENT, the id is the last one that this index had.
 */
struct backend {
	struct addr address;
	__u32 id;
	__u32 service; /* struct service.id */
	__u16 weight;
	__u8 state;   /* enum backend_state */
	__u8 by_hand; /* enum by_hand; only the tool reads it */
	__u8 finding; /* enum health_finding; only the tool reads it */
	__u8 drain;   /* it is to drain; only the tool reads it */
	__u16 mtu;    /* of the path to it, from the file; 0: not set */
};
_Static_assert(sizeof(struct backend) == 32, "backend");

/* Of a generation, in the `backends` map. */
struct backend_rows {
	struct backend at[BACKEND_SLOTS];
	__u64 until[BACKEND_SLOTS]; /* jiffies; if it is leaving */
	/*
	 * For the tool, in seconds of Unix time: since when a backend, or the
	 * service with this index in `turns`, has been in its state.
	 */
	__u64 since[BACKEND_SLOTS];
	__u64 service_since[MAX_SERVICES];
};
_Static_assert(sizeof(struct backend_rows) ==
		       BACKEND_SLOTS * 48 + MAX_SERVICES * 8,
	       "backend_rows");

/* What happens to a packet for a VIP but for none of its services. */
enum unmatched {
	UNMATCHED_LOCAL, /* dropped, unless the VIP is the host's address */
	UNMATCHED_DROP,
	UNMATCHED_PASS,
};

/*
 * Key of the map `devices`: ifindex. Says why XDP cannot send a packet out of
 * the device. A device without an entry takes all frames.
 */
#define MAX_DEVICES 16384
enum device_lacks {
	DEVICE_NO_ETHERNET = 1, /* it has no Ethernet header: tun, gre */
	DEVICE_NO_XMIT = 2, /* no ndo_xdp_xmit: no redirect in native mode */
};

/* Addresses of this host that xdp_lbr knows. */
#define MAX_OWN_ADDRESSES 16384

/*
 * For the tool, by struct backend.id: why checks found the backend down, as
 * NUL-terminated text. A backend that is not down has no entry.
 */
#define VERDICT_TEXT 208
struct verdict_text {
	char why[VERDICT_TEXT];
};
_Static_assert(sizeof(struct verdict_text) == 208, "verdict_text");

#define VIP_BITS 4096

/*
 * What else belongs to a generation. `previous` is the index of the generation
 * that places handshakes begun before it, until `grace_until` (jiffies).
 */
struct generation {
	__u64 number;	      /* counts from 1 */
	__u64 grace_until;    /* jiffies */
	__u64 udp_idle;	      /* jiffies */
	__u64 next_hop_age;   /* jiffies; 0: the FIB is asked for each packet */
	__u32 previous;	      /* generation index; its own if there is none */
	__u32 insert_limit;   /* flows added per second and CPU */
	__u32 insert_window;  /* jiffies in a second */
	__u32 directory_seed; /* where services lie: see directory.h */
	__u8 unmatched;	      /* enum unmatched */
	__u8 hops_by_flow;    /* routes depend on more than the destination */
	__u8 recent_shift;    /* the hot flows' time span is 2^this jiffies */
	__u8 claim;	    /* the tool's: the host answers ARP for the VIPs */
	__u32 answer_limit; /* ICMP errors per second and CPU */
	__u8 digest[32];    /* of the file's meaning: see write.h */
	struct prefix outer_source[2]; /* IPv4, IPv6; bits 0: its own address */
	__u64 vips[VIP_BITS / 64];     /* xdp_lbr: see directory.h */
};
_Static_assert(sizeof(struct generation) == 640, "generation");

/* The text of a generation's file, in the map `file`; padded with zeros. */
struct file_page {
	char text[4096];
};
_Static_assert(sizeof(struct file_page) == 4096, "file_page");

/* Keys of the `control` map; each value is one __u32. */
enum control {
	CONTROL_GENERATION, /* generation slot + 1; 0: none yet */
	CONTROL_TRACE,	    /* enum trace */
	CONTROL_SERVICE_ID, /* the last struct service.id given; for the tool */
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
	__u64 flow[FLOW_KEYS];	    /* for the flow table's hash, see flows.h */
	__u64 mark[SECRET_WORDS];   /* for marks in outer headers, see mark.h */
	__u64 answer[SECRET_WORDS]; /* for the shares of the answer budget */
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

/* A way of a bucket of the flow table; see flows.h. */
struct flow {
	__u64 hash;    /* of the flow; 0: empty */
	__u32 backend; /* struct backend.id, FLOW_ENDS, FLOW_BEGINS */
	__u32 seen;    /* low half of jiffies at one of its last packets */
};
_Static_assert(sizeof(struct flow) == 16, "flow");
#define FLOW_ENDS    0x80000000u /* its client has sent FIN or RST */
#define FLOW_BEGINS  0x40000000u /* only SYNs have come: may be replaced */
#define FLOW_BACKEND 0x3fffffffu

#define FLOWS_PER_BUCKET 4
struct flow_bucket { /* one cache line */
	struct flow flows[FLOWS_PER_BUCKET];
};
_Static_assert(sizeof(struct flow_bucket) == 64, "flow_bucket");

/* The ends of these flows, in another map: for people. */
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

/* What the flow table said lately; see recent.h. */
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
 * The first fragment of a packet, and what only it says: ports. IPv6's id
 * counts for all protocols together (RFC 8200 4.5).
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
 * By a backend's address: the MTU that a router on the path has reported, in an
 * error about one of our outer headers, proven by the mark in it (mark.h).
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
 * count at the same time may let a few more through.
 */
struct guesses {
	__u64 second; /* jiffies / jiffies in a second */
	__u64 wrong;  /* in that second */
};
_Static_assert(sizeof(struct guesses) == 16, "guesses");

/*
 * Per CPU: ICMP errors sent in one window. In the map `answers` (time exceeded)
 * for all clients together; in `answer_shares` (too big) for the clients that
 * share a cell. A client's cell is its address (IPv6: its /64), hashed with a
 * secret. A cell may send one part of `answer-limit`.
 */
#define ANSWER_SHARES 4096
#define ANSWER_PARTS  16
struct answers {
	__u64 window; /* jiffies / struct generation.insert_window */
	__u64 count;
};
_Static_assert(sizeof(struct answers) == 16, "answers");

/*
 * By a backend's address: the smallest MTU to which a route of this host to it
 * is locked, in bytes. Filled in by the tool (path_mtus.c).
 */
#define ROUTE_MTUS MAX_BACKENDS

/*
 * Per CPU: the FIB's answer for the way to a backend. Direct-mapped: an entry
 * replaces what was in its cell.
 */
#define CACHED_HOPS BACKEND_SLOTS
struct cached_hop {
	__u64 asked; /* jiffies; 0: no answer is here */
	__u64 flow;  /* 0: for all packets to the backend; else for one flow */
	__u32 backend;	/* struct backend.id */
	__u32 in;	/* ifindex the packet came in by ... */
	__u32 out;	/* ... and leaves by; the same: the way it came */
	__u16 mtu;	/* the largest packet that reaches the backend whole */
	__u16 link_mtu; /* the same, for the first link only */
	struct addr via;
	__u8 destination[6]; /* MAC addresses */
	__u8 source[6];
	struct vlan vlan; /* the tags that it leaves with */
};
_Static_assert(sizeof(struct cached_hop) == 64, "cached_hop");

/* Insertions into the flow table in one window, per CPU. */
struct insertions {
	__u64 window; /* jiffies / struct generation.insert_window */
	__u64 count;
	__u64 begun; /* the same for those at a SYN, which have their own limit
		      */
	__u64 refused; /* since the load: not inserted, over insert_limit */
	__u64 evicted; /* since the load: flows that were replaced */
};
_Static_assert(sizeof(struct insertions) == 40, "insertions");

/* Per CPU: what was sent to a backend, by its index. */
struct backend_count {
	__u64 packets;
	__u64 bytes; /* of the frames; a GSO super-packet is one */
	__u64 flows; /* begun: SYNs, and new flows of UDP */
};
_Static_assert(sizeof(struct backend_count) == 24, "backend_count");

/* Per CPU: the packet that was redirected last, as it was counted. */
struct redirected {
	__u32 service; /* struct service.id */
	__u32 backend; /* struct backend.id */
	__u32 bytes;   /* of the frame; 0: already corrected */
	__u32 begins;  /* 1: it began a flow */
};
_Static_assert(sizeof(struct redirected) == 16, "redirected");

/*
 * Per CPU: a service's packets that were not sent to a backend, by reason. The
 * backends' counts have the others.
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
	__u32 device;  /* as the FIB knows it: for a leg of a bond, the bond */
	__u8 mac[6];
	__u16 generic;	    /* the program sees GSO super-packets here */
	char name[16];	    /* IFNAMSIZ, for the tools */
	struct addr own[2]; /* IPv4, IPv6: its own addresses; 0: none */
	__u8 own_mac[6];    /* of `device`: the destination of what is handed to
			       the kernel */
	__u16 zero;
};
_Static_assert(sizeof(struct interface) == 72, "interface");

/*
 * xdp_bkd: to which service a packet belongs that a load balancer sent to one
 * of this host's addresses, and how it is restored. Port 0 is "any port".
 */
struct restore_key {
	struct addr
		address; /* the destination: this host's address; l2: the VIP */
	struct addr inner; /* ipip: the destination inside, the VIP */
	__be16 port;
	__u8 protocol;
	__u8 dscp; /* method dscp: the mark, else 0 */
};
_Static_assert(sizeof(struct restore_key) == 36, "restore_key");

struct restore {
	struct addr vip;
	__u64 until; /* jiffies; 0: no end. Set when it was removed from the
			file. */
	struct method method;
	__u8 zero;
	__u32 counter; /* index in `restore_counts`; 0: not counted */
};
_Static_assert(sizeof(struct restore) == 32, "restore");

/*
 * Enough for two generations, for any address, and [0], which belongs to no
 * row.
 */
#define MAX_RESTORES (MAX_SERVICES * 2)
#define MAX_COUNTERS (MAX_RESTORES * 2 + 1)

/* One change that `up` made on the host; NUL-terminated text. */
struct change {
	char kind[16];	 /* "sysctl", "address", ...; "" ends the list */
	char what[112];	 /* e.g. "net/ipv4/conf/eth0/forwarding" */
	char before[60]; /* the value before, e.g. "0" */
	__u32 ifindex;	 /* of the interface that `what` names; 0: it names none
			  */
};
_Static_assert(sizeof(struct change) == 192, "change");
#define MAX_CHANGES 1024
