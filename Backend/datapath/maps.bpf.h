/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maps.bpf.h - xdp_bkd's maps, and what a packet's way through it is told by:
 * the decision
 *
 * What both programs have is in common/bpf/maps.h.
 */
#pragma once

#include <stdbool.h>

#include "common/bpf/maps.h"
#include "common/bpf/trace.h"

/* What the file says for this host, once for each generation. */
MAP_OF_GENERATIONS(restores, HASH, BPF_F_NO_PREALLOC, struct restore_key,
		   struct restore, MAX_RESTORES);
MAP_OF_GENERATIONS(sources, LPM_TRIE, BPF_F_NO_PREALLOC, struct prefix, __u8,
		   MAX_SOURCES);

/* What was done with packets; see also `reasons`. */
MAP(restore_counts, PERCPU_ARRAY, __u32, __u64, MAX_COUNTERS);

/* UDP flows whose first packet was traced; used for nothing else. */
MAP(traced_flows, LRU_HASH, struct flow_key, __u8, 4096);

/* One packet's way through the program; a trace line tells it. */
struct decision {
	struct packet packet;
	struct interface *in;
	struct restore *restore;
	const struct packet *inner; /* the packet that was inside */
};

/* What a separately verified function gets: the outer header, [0]. */
struct outside {
	struct addr source;
	struct addr destination;
	__u32 l3_offset; /* with the tags before it */
	__u32 tos;
};
MAP(outsides, PERCPU_ARRAY, __u32, struct outside, 1);

/* A line of the trace, and what only xdp_bkd says in it. */
struct bkd_line {
	struct line line;
	struct addr vip;
};

/* The line under construction. */
MAP(lines, PERCPU_ARRAY, __u32, struct bkd_line, 1);
