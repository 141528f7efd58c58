/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * driver.h - what the driver is told of a scenario when it is loaded
 */
#pragma once

#include <linux/types.h>

/*
 * Headers are written in words of 8 bytes, the first at offset 0 and the others
 * from offset 6 on: so every field of an Ethernet, IPv4, IPv6, TCP or UDP
 * header lies within one word. A load that has to gather its bytes from two
 * stores that are still under way takes several ns, and with frames from a
 * device there is no such thing.
 */
#define WORDS	    13
#define WORDS_AT    6
#define HEADERS_MAX (WORDS_AT + 8 * WORDS) /* no frame is shorter than this */

#define FIRST_PORT 32768 /* the first of 32768 ports */

/*
 * Odd, so any 2^n turns in a row visit each of 2^n flows; large, so in an order
 * that no prefetcher knows.
 */
#define FLOW_STEP 2654435761U

struct scenario {
	__u32 flows;  /* the number of flows, a power of two, minus one */
	__u32 length; /* of the frame */
	__u32 words;  /* how many words of the headers are written */
	__u32 grows;  /* 1: the program puts a header in front */
	__u32 twice;  /* 1: each flow in two consecutive turns */
	__u32 sum;    /* the one's complement sum of flow 0's IPv4 header */
};
