/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_nat.h - flows that are translated (`forward: nat`), in maps
 *
 * How they are found, begin and end is in nat.h and nat_table.h.
 */
#pragma once

#include "common/core/abi.h"

/*
 * What is known of a row's flow, in one word, so that a CPU can exchange it as
 * a whole. All zero: the row has never had a flow.
 */
union nat_state {
	struct {
		__u32 seen;    /* the last packet: low half of jiffies */
		__u8 phase;    /* enum nat_phase */
		__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
		__u8 source;   /* index in `nat_sources` */
		__u8 turn;     /* one more with each flow of this row */
	};
	__u64 word;
};
_Static_assert(sizeof(union nat_state) == 8, "nat_state");

enum nat_phase {
	NAT_TAKEN = 1,	     /* being filled in: no packet may use it */
	NAT_OPEN = 2,	     /* it is a flow */
	NAT_REPLIED = 4,     /* the backend has sent a packet */
	NAT_ESTABLISHED = 8, /* ... and the client has answered it */
	NAT_FIN_CLIENT = 16,
	NAT_FIN_BACKEND = 32,
	NAT_RESET = 64, /* the last packet was a RST */
};

/*
 * A flow, in one cache line. Which row it has follows from what the backend
 * sees: nat_row_of(). So one (source, port) to one (backend, port, protocol) is
 * one row, and can belong to one flow only.
 */
struct nat_row {
	__u64 state; /* union nat_state */
	__u64 hash;  /* of the client's packets: flow_hash(). Its index entry */
	struct addr client;
	struct addr vip;
	__u32 backend; /* struct backend.id */
	__u32 service; /* struct service.id */
	__be16 client_port;
	__be16 vip_port;
	__be16 backend_port;
	__be16 port; /* at the source, of `nat_sources` */
};
_Static_assert(sizeof(struct nat_row) == 64, "nat_row");

/*
 * The rows by the hash of the client's packets. An entry is the high half of
 * the hash, and the row's number plus 1; 0: none. There are two entries for
 * each row, and a flow may be in either of two buckets, so that there is always
 * room.
 */
#define NAT_PER_BUCKET 8
struct nat_bucket {
	__u64 entry[NAT_PER_BUCKET];
};
_Static_assert(sizeof(struct nat_bucket) == 64, "nat_bucket");

/*
 * A source that packets to backends have: an address of this host, and ports
 * that are not the host's own. Its index stays the same as long as a row names
 * it.
 */
#define NAT_SOURCES 64
struct nat_source {
	struct addr address; /* all zero: there is none at this index */
	__u16 first;	     /* port; host order */
	__u16 count;	     /* of ports; 0: it gets no new flows */
	__u32 together;	     /* in the first row of a family: its rows */
};
_Static_assert(sizeof(struct nat_source) == 24, "nat_source");

/*
 * A packet that lbr_nat decides about. For the tool, too: `lbr explain`.
 */
struct nat_handed {
	/*
	 * The packet's new ends. Of an ICMP error the outer ones; the packet
	 * inside gets them exchanged.
	 */
	struct addr source;
	struct addr destination;
	__be16 source_port;
	__be16 port;
	__u32 backend; /* id */
	__u32 service; /* id */
	__u32 row;     /* its number plus 1; 0: the packet is of no flow */
	__u32 out;     /* ifindex of the way out */
	struct addr via;
	__u8 begins;   /* the flow; else it was known */
	__u8 is_reply; /* it is for a source, and no client's */
	__u8 reason;   /* what became of it; REASON_NONE: it is not ours */
	__u8 unfilled; /* its checksum, when it becomes an ICMP error */
	__u32 mtu;     /* of the way out, bytes; 0: not known */
};
_Static_assert(sizeof(struct nat_handed) == 76, "nat_handed");
