/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * record.h - one complete decision of xdp_lbr, as the tool gets it
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_services.h"

enum record_flags {
	RECORD_SERVICE = 1, /* there is one */
	RECORD_BACKEND = 2,
	RECORD_HOP = 4,	    /* the FIB's final answer is known */
	RECORD_ASKED = 8,   /* it was asked, for this packet */
	RECORD_BEGINS = 16, /* the first packet of a flow */
	RECORD_ERROR = 32,  /* an ICMP error; its ends: the quoted flow's */
};

struct record {
	__u64 hash;	  /* of its ends, as service tables take it: hash.h */
	__u64 generation; /* its number */
	__s64 fib;	  /* the FIB's answer, if it was asked */
	struct addr source;
	struct addr destination;
	struct addr backend;
	struct addr via;
	__be16 source_port;
	__be16 port;
	__u32 service; /* struct service.id */
	__u32 in;      /* ifindex */
	__u32 out;
	__u16 mtu; /* of the path to the backend */
	__u8 protocol;
	__u8 packet;	  /* enum packet_flags */
	__u8 flags;	  /* enum record_flags */
	__u8 selected_by; /* enum selected_by */
	__u8 reason;
	__u8 destination_mac[6]; /* of the next hop */
	__u8 zero[3];
};
_Static_assert(sizeof(struct record) == 120, "record");
