/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flow_table.h - the flow table as the tool sees it: mapped, while packets use
 * it
 */
#pragma once

#include <stddef.h>

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_packets.h"

struct flow_table {
	struct flow *flows;    /* `ways` of them; hash 0: empty */
	struct flow_key *keys; /* their ends */
	__u32 buckets;
	size_t ways; /* FLOWS_PER_BUCKET a bucket */
	size_t flows_size, keys_size;
};

/*
 * Maps both maps of a table and closes the fds. Returns 0, or -1 with errno;
 * flow_table_close() is due in every case.
 */
int flow_table_open(struct flow_table *table, int flows, int keys);
/* The same without the keys, to count flows. */
int flows_open(struct flow_table *table, int flows);
void flow_table_close(struct flow_table *table);

/* Not for an empty way, nor for a flow of which only SYNs have come. */
bool flow_is_remembered(const struct flow *flow);
/* Was its last packet at `since` or later, by what it wrote? In jiffies. */
bool flow_is_since(const struct flow *flow, __u64 since, __u64 now);

/*
 * After how many jiffies without a packet a flow counts as ended: one of TCP,
 * one that its client has ended or only begun, one of UDP.
 */
struct idle {
	__u32 now; /* low half of jiffies */
	__u64 silent, ended, udp;
};
struct idle idle_of(__u64 now, __u64 udp_idle);
/* Is it in use? For a way that is not empty. */
bool flow_is_active(const struct idle *idle, const struct flow *flow);

/*
 * Counts the flows in use by their backend's index; `now` in jiffies. Returns
 * 0, or -1 with errno.
 */
int active_flows(const struct kernel *kernel, const struct running *running,
		 __u64 now, __u32 *active);
