/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_services.h - a generation in maps: services, their tables, backends
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/method.h"

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

/*
 * A service of one generation. Its table is `table_size` u16 backend indices,
 * from slot `table_first` on, in the chunk `chunk`, four to an element. Chunk 0
 * is the map `first_chunk`, the others are inner maps of `tables`. Generations
 * share a table that is the same in both. With table_size 0, no backend takes
 * new flows; table_first is then NO_TABLE_PASS if they are to be passed to the
 * kernel.
 */
#define NO_TABLE_PASS	  1
#define TABLE_CHUNKS	  64
#define SLOTS_PER_ELEMENT 4
#define FIRST_CHUNK	  (512 * 1024) /* elements: 4 MiB */
struct service {
	__u32 id; /* never given to another (VIP, port, protocol) */
	__u32 table_first;
	__u32 table_size;
	__u8 scheduler; /* enum scheduler, see scheduler.h */
	struct method method;
	__u16 rr_turn; /* its index in the map `rr_turns` */
	/*
	 * 0: the service is in the file. Else it was removed and has no table:
	 * 1 + the index of the backend that drains longest, whose `until` is
	 * the service's end, too.
	 *
	 * `apart`: packets for it leave the data path to a program of their
	 * own: see LoadBalancer/datapath/apart.bpf.h.
	 */
	union {
		struct {
			__u16 removing : 15;
			__u16 apart : 1;
		};
		__u16 unusual; /* 0: neither; one question for both */
	};
	__u8 forgets; /* 1: only flows in moved slots are remembered */
	__u8 owners;  /* 1: behind the table are the owners by the file */
	__u16 chunk;
};
_Static_assert(sizeof(struct service) == 24, "service");
_Static_assert(BACKEND_INDEXES < 1 << 15, "removing");

/* Slots of a table of `size`, up to the next whole element. */
#define TABLE_SLOTS(size)                                                      \
	(((size) + SLOTS_PER_ELEMENT - 1) / SLOTS_PER_ELEMENT *                \
	 SLOTS_PER_ELEMENT)

/*
 * A cell of a generation's `services` map, see service_table.h. There are more
 * than twice as many cells as there can be keys: the services of a file, as
 * many that were removed from it, and for each of these the mark of its VIP and
 * possibly the entry for its fragments.
 */
#define SERVICE_CELLS (16 * MAX_SERVICES)
struct service_cell {
	struct service_key key;
	struct service service;
	__u16 port_mask; /* 0: ports do not matter, see `by_address` */
	__u8 protocol;	 /* of the service */
	__u8 used;
};
_Static_assert(sizeof(struct service_cell) == 48, "service_cell");

/* Of a generation, in the `services` map. */
struct service_cells {
	struct service_cell at[SERVICE_CELLS];
};

/*
 * A slot: the index of its backend, and SLOT_MOVED if flows of another one may
 * be remembered there: then it has had another one, and is not at rest yet (see
 * LoadBalancer/generation/unmark.h). For a slot that has not moved, the flow
 * table can only say the same as the service's table. In a service that
 * `forgets`, changes of the file move no slot: then a moved one is one that has
 * had another backend than the file says, because of a verdict or by hand.
 */
#define SLOT_MOVED   0x8000
#define SLOT_BACKEND (BACKEND_INDEXES - 1)
_Static_assert(BACKEND_INDEXES <= SLOT_MOVED, "a slot holds an index");
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
	BACKEND_REMOVING, /* not in the file: drains until `until` */
};

/* What health checks found about a backend. */
enum health_finding {
	FINDING_NONE, /* not checked, or no result yet */
	FINDING_UP,
	FINDING_APPLICATION_DOWN, /* something came back, and it was bad */
	FINDING_PATH_DOWN, /* nothing came back from the VIP, or was sent */
};

/* What a verb has set for a backend, against the file. */
enum override {
	OVERRIDE_STATE = 1,
	OVERRIDE_WEIGHT = 2,
};

/*
 * A backend of a service, at its index. The id is index + n * BACKEND_INDEXES,
 * at most FLOW_BACKEND, and is never given to another (service, address): a
 * flow with the id of a backend that is gone is selected anew. If the state is
 * BACKEND_ABSENT, the id is the last one that this index had.
 */
struct backend {
	struct addr address;
	__u32 id;
	__u32 service; /* struct service.id */
	__u16 weight;
	__u8 state; /* enum backend_state */
	/* Only the tool reads these. */
	__u8 override : 2; /* enum override */
	__u8 finding : 3;  /* enum health_finding */
	__u8 drain : 1;	   /* it is to drain */
	__be16 port;	   /* lbr_nat: of its server; 0: the service's */
	__u16 mtu;	   /* of the path to it, from the file; 0: not set */
};
_Static_assert(sizeof(struct backend) == 32, "backend");

/* Of a generation, in the `backends` map. */
struct backend_rows {
	struct backend at[BACKEND_INDEXES];
	__u64 until[BACKEND_INDEXES]; /* jiffies; if it is removing */
	/*
	 * For the tool, in milliseconds of CLOCK_BOOTTIME: since when a
	 * backend, or the service with this index in `rr_turns`, has been in
	 * its state.
	 */
	__u64 since[BACKEND_INDEXES];
	__u64 service_since[MAX_SERVICES];
	/*
	 * For the tool: a digest of what that service's table was computed
	 * from.
	 */
	__u64 table_inputs[MAX_SERVICES];
	/*
	 * The same, by the same index: when a slot of the service was
	 * marked SLOT_MOVED last, in jiffies. 0: none is marked. See unmark.h.
	 */
	__u64 moved[MAX_SERVICES];
};
_Static_assert(sizeof(struct backend_rows) ==
		       BACKEND_INDEXES * 48 + MAX_SERVICES * 24,
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
	__u64 number;	     /* counts from 1 */
	__u64 grace_until;   /* jiffies */
	__u64 switched;	     /* jiffies; the tool's */
	__u64 udp_idle;	     /* jiffies */
	__u64 next_hop_age;  /* jiffies; 0: the FIB is asked for each packet */
	__u32 previous;	     /* generation index; its own if there is none */
	__u32 insert_limit;  /* flows added per second and CPU */
	__u32 insert_window; /* jiffies in a second */
	__u32 services_seed; /* where services lie: see service_table.h */
	__u8 unmatched;	     /* enum unmatched */
	__u8 next_hops_by_flow; /* routes depend on more than the destination */
	__u8 hot_shift;		/* the hot flows' time span is 2^this jiffies */
	__u8 claim; /* the tool's: the host answers ARP for the VIPs */
	__u32 icmp_error_limit;	   /* ICMP errors per second and CPU */
	__u32 second_chance_limit; /* packets passed on per second and CPU */
	__u32 file;	/* the tool's: where in the map `file` its text is */
	__u32 releases; /* 1: a service has a `release` port */
	__u32 zero;
	__u8 digest[32];	       /* of the file's meaning: see write.h */
	struct prefix outer_source[2]; /* IPv4, IPv6; bits 0: its own address */
	__u64 vips[VIP_BITS / 64];     /* xdp_lbr: see service_table.h */
};
_Static_assert(sizeof(struct generation) == 664, "generation");

/* The text of a generation's file, in the map `file`; padded with zeros. */
struct file_page {
	char text[4096];
};
_Static_assert(sizeof(struct file_page) == 4096, "file_page");

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
	__u8 scheduler; /* enum scheduler */
	__u32 counter;	/* index in `restore_counts`; 0: not counted */
	/*
	 * While backends of the service are in transition: a list for each slot
	 * of its table, from lists[lists_first] on. table_size 0: there is no
	 * second chance. Behind them those of the table before, if it had
	 * another size or scheduler; was_size 0: it had not.
	 */
	__u32 table_size;
	__u32 lists_first;
	__u32 was_size;
	__u8 was_scheduler; /* enum scheduler */
	/*
	 * 1: behind both, for the tool, a bit for each slot of the table, 64 to
	 * an element: the last in its list is a standing deputy.
	 */
	__u8 standing;
	__u8 at_own; /* 1: its server listens on this host's own address */
	__u8 zero;
	__u16 self;	  /* this host's number in `peers` */
	__u16 generation; /* of the row: its index in both */
	__u32 pool;	  /* for the tool: names the backends and tables */
};
_Static_assert(sizeof(struct restore) == 56, "restore");

/*
 * The backends that may have the flows of a slot: their numbers in `peers`, and
 * first the one that gets new flows. NO_CANDIDATE ends it. A longer list is
 * cut, which is rare. See common/tables/candidates.h.
 */
#define STANDING_BITS(size) (((size) + 63) / 64) /* elements of 64 bits */
#define MOST_CANDIDATES	    4
#define NO_CANDIDATE	    0xffff
struct candidates {
	__u16 at[MOST_CANDIDATES];
};
_Static_assert(sizeof(struct candidates) == 8, "candidates");

/*
 * xdp_bkd: where a peer is that no router leads to (l2), by its address: on the
 * segment of `device`, an ifindex as struct interface.device. Filled in by the
 * tool (Backend/host/peers.c); who is not there has no MAC address.
 */
#define PEER_LINKS 512
struct peer_link {
	__u32 device;
	__u8 mac[6];
	__u16 zero;
};
_Static_assert(sizeof(struct peer_link) == 12, "peer_link");

/*
 * Enough for two generations, for any address; of counters also [0], which
 * belongs to no row.
 */
#define MAX_RESTORES (MAX_SERVICES * 2)
#define MAX_COUNTERS (MAX_RESTORES * 2 + 1)

struct restore_row {
	struct restore_key key;
	__u32 index; /* its own */
	struct restore restore;
};
_Static_assert(sizeof(struct restore_row) == 96, "restore_row");

/*
 * A generation's rows, in its map `restores`: rows[1] to rows[count], found as
 * restore.h says. The key of rows[0] is all zeros, which no packet has.
 */
#define RESTORE_CELLS (4 * MAX_RESTORES)
struct restores {
	__u64 bits[VIP_BITS / 64]; /* see restore.h */
	__u32 seed;
	__u32 count;
	__u16 cells[RESTORE_CELLS]; /* an index in `rows`; 0: none */
	struct restore_row rows[1 + MAX_RESTORES];
	/* For the tool: since when (jiffies) each has had its restore.pool. */
	__u64 since[1 + MAX_RESTORES];
};
_Static_assert(sizeof(struct restores) == VIP_BITS / 8 + 8 + RESTORE_CELLS * 2 +
						  (1 + MAX_RESTORES) * (96 + 8),
	       "restores");
