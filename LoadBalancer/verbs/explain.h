/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.h - a packet that is asked about, and what is told of it
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "common/core/abi.h"
#include "common/core/record.h"
#include "common/core/vlan.h"
#include "common/kernel/kernel.h"

struct running;

/*
 * The packet: what a client sends first (SYN), or in the midst of a flow; or
 * that some packet of the flow's other direction was too big, as a router on
 * its way would report to the VIP.
 */
struct asked {
	struct addr client;
	struct addr vip;
	__be16 client_port;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	bool syn;
	bool error;
	__u16 tags[TAGS_MOST]; /* VLANs, from the outside in */
	int tag_count;
};

#define ASKED_ROOM 128 /* bytes; the longest frame has 118 */

/* explain_frame.c: as it comes in, for `mac`; its size in bytes. */
size_t asked_frame(const struct asked *asked, const __u8 *mac, __u8 *frame);
/* The headers of two frames, a row each: "header", "before", "after". */
json_t *headers_rows(const __u8 *before, size_t before_size, const __u8 *after,
		     size_t after_size);

/* record.c: the decision as an object of scalars, its steps in order. */
json_t *record_object(const struct record *record,
		      const struct running *running);
