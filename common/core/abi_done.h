/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi_done.h - services for which a backend tells the load balancers that a
 * request is done: see Backend/datapath/done.bpf.c
 */
#pragma once

#include "common/core/abi_workers.h"

#define MAX_DONES   1024 /* services */
#define MAX_DONE_TO 8	 /* load balancers */

struct done_key {
	struct addr vip;
	__be16 port;
	__u16 zero;
};
_Static_assert(sizeof(struct done_key) == 20, "done_key");

struct done_service {
	struct addr own; /* this backend's address, as the file has it */
	struct addr to[MAX_DONE_TO];
	__u8 key[RELEASE_KEY]; /* padded with zeros */
	__be16 release;
	__u16 count;   /* of `to` */
	__u32 longest; /* bytes of an IP packet: of all requests so far */
};
_Static_assert(sizeof(struct done_service) == 168, "done_service");
