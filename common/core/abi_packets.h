/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_packets.h - what packets leave in maps, and what they are asked about
 */
#pragma once

#include "common/core/abi.h"

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
	__u32 backend; /* struct backend.id, and the flags below */
	__u32 seen;    /* low half of jiffies at one of its last packets */
};
_Static_assert(sizeof(struct flow) == 16, "flow");
#define FLOW_ENDS    0x80000000u /* its client has sent FIN or RST */
#define FLOW_BEGINS  0x40000000u /* only SYNs have come: may be replaced */
#define FLOW_UDP     0x20000000u /* has no end but its silence */
#define FLOW_BACKEND 0x1fffffffu

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

/* What the flow table said lately; see hot.h. */
#define HOT_BUCKETS    (1 << 15)
#define HOT_PER_BUCKET 4
struct hot_bucket {
	__u64 flows[HOT_PER_BUCKET];
};
_Static_assert(sizeof(struct hot_bucket) == 32, "hot_bucket");

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
	__u8 protocol;	/* the transport's */
	__u8 passed_on; /* xdp_bkd: 1: it went to another backend */
	__u8 zero[2];
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
 * Per CPU: what was spent of a limit in one window. ICMP errors: in the map
 * `icmp_errors` (time exceeded) for all clients together; in `icmp_shares` (too
 * big) for the clients that share a cell. A client's cell is its address (IPv6:
 * its /64), hashed with a secret. A cell may send one part of
 * `icmp-error-limit`.
 */
#define ICMP_ERROR_SHARES 4096
#define ICMP_ERROR_PARTS  16
struct budget {
	__u64 window; /* jiffies / struct generation.insert_window */
	__u64 count;
};
_Static_assert(sizeof(struct budget) == 16, "budget");

/*
 * By a backend's address: the smallest MTU to which a route of this host to it
 * is locked, in bytes. Filled in by the tool (path_mtus.c).
 */
#define ROUTE_MTUS MAX_BACKENDS

/*
 * Per CPU: the FIB's answer for the way to a backend. Direct-mapped: an entry
 * replaces what was in its cell.
 */
#define CACHED_HOPS BACKEND_INDEXES
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
	__u64 begun;   /* the same for those at a SYN, with their own limit */
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
	__u16 most; /* bytes of an IP packet; a longer one was merged by GRO and
		       cannot be sent; 0: each can. For xdp_bkd */
};
_Static_assert(sizeof(struct interface) == 72, "interface");

/* One change that `up` made on the host; NUL-terminated text. */
struct change {
	char kind[16];	 /* "sysctl", "address", ...; "" ends the list */
	char what[112];	 /* e.g. "net/ipv4/conf/eth0/forwarding" */
	char before[60]; /* the value before, e.g. "0" */
	__u32 ifindex;	 /* of the interface in `what`; 0: it has none */
};
_Static_assert(sizeof(struct change) == 192, "change");
/* A VIP of each service, and a note of what is left alone of it; next hops,
 * settings. */
#define MAX_CHANGES 16384
