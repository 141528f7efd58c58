/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain.h - the packet of a question, and the answer
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
 * The packet: the first one that a client sends (SYN), a later one, or an ICMP
 * error by which a router reports to the VIP that a packet of the flow's other
 * direction was too big.
 */
struct asked {
	struct addr client;
	struct addr vip;
	__be16 client_port;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	bool syn;
	bool error;
	__u16 tags[TAGS_MOST]; /* VLANs, the outer one first */
	int tag_count;
};

#define ASKED_ROOM 128 /* bytes; the longest frame has 118 */

/* explain_frame.c: builds the frame, to `mac`; returns its size in bytes. */
size_t asked_frame(const struct asked *asked, const __u8 *mac, __u8 *frame);
/* The headers of two frames, a row each: "header", "before", "after". */
json_t *headers_rows(const __u8 *before, size_t before_size, const __u8 *after,
		     size_t after_size);

/*
 * record.c: the decision, its steps in order: typed, or as a text each, where a
 * step that was not made is left out.
 */
json_t *record_json(const struct record *record, const struct running *running);
json_t *record_lines(const struct record *record,
		     const struct running *running);
