// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_bkd - the backend's data path
 *
 *	parse  ->  listed?  ->  restore  ->  pass up
 *
 * A packet for one of this host's addresses, with a protocol and port that the
 * file lists for it, becomes what the client sent, by the method of its
 * service. The server, with the VIP on lo, answers from the VIP, straight to
 * the client. Everything else passes untouched: the host's own connections,
 * SSH, checks to its own address on other ports.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/clock.h"
#include "common/bpf/map.h"
#include "common/bpf/vlan.h"
#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/dscp.h"
#include "common/core/packet.h"
#include "common/core/reason.h"
#include "common/core/rewrite.h"
#include "common/core/tunnel.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct constants constants = {};

/* What the file says for this host, once for each generation. */
MAP(generations, ARRAY, __u32, struct generation, GENERATIONS);
MAP_OF_GENERATIONS(restores, HASH, BPF_F_NO_PREALLOC, struct restore_key,
		   struct restore, MAX_RESTORES);
MAP_OF_GENERATIONS(sources, LPM_TRIE, BPF_F_NO_PREALLOC, struct prefix, __u8,
		   MAX_SOURCES);

/* What outlives generations. */
MAP(control, ARRAY, __u32, __u32, CONTROLS);
MAP(interfaces, ARRAY, __u32, struct interface, MAX_INTERFACES);
MAP(reasons, PERCPU_ARRAY, __u32, __u64, REASON_MAX);
MAP(restore_counts, PERCPU_ARRAY, __u32, __u64, MAX_COUNTERS);

/* UDP flows whose first packet was traced; used for nothing else. */
MAP(traced_flows, LRU_HASH, struct flow_key, __u8, 4096);

/* Only for the tool: what it changed on this host. */
MAP(changes, ARRAY, __u32, struct change, MAX_CHANGES);

/* One packet's way through the program; a trace line tells it. */
struct decision {
	struct packet packet;
	struct interface *in;
	struct restore *restore;
	const struct packet *inner; /* the packet that was inside */
};

#include "common/bpf/parse.h"
#include "common/bpf/exit.h"

/*
 * See parse.h. Wanted: a first fragment for this host's MAC address (for an
 * inner packet, restore() has asked that). It need not be for a listed port:
 * otherwise the later fragments of the host's own packets would be counted as
 * fragments without a first one.
 */
__attribute__((noinline)) int fragment_is_wanted(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct packet *packet = bpf_map_lookup_elem(&parsed, &zero);
	struct ethhdr *eth = (void *)(long)ctx->data;

	if (!packet || (void *)(eth + 1) > (void *)(long)ctx->data_end)
		return false;
	return packet->l3_offset > L2_MOST ||
	       find_interface(device_of(ctx, packet), eth);
}

/* By the packet's port, else by any. The addresses are in the key already. */
INLINE struct restore *restore_of(struct restore_key *key,
				  const struct packet *packet)
{
	__u32 slot = generation_slot();
	void *map = bpf_map_lookup_elem(&restores, &slot);
	struct restore *restore;

	if (!map)
		return NULL;
	key->protocol = packet->protocol;
	key->port = packet->port;
	restore = bpf_map_lookup_elem(map, key);
	if (restore)
		return restore;
	key->port = 0;
	return bpf_map_lookup_elem(map, key);
}

/* The reason for leaving alone what the parser did not understand. */
INLINE enum reason refuse(enum reason reason)
{
	switch (reason) {
	case REASON_fragment:
		return REASON_fragment_passed;
	case REASON_extension:
		return REASON_extension_passed;
	default:
		return reason;
	}
}

/* REASON_NONE: the packet is to be restored. */
INLINE enum reason listed(const struct restore *restore,
			  const struct packet *packet)
{
	if (!restore)
		return packet_is_unknown(packet) ? REASON_fragment_passed
						 : REASON_not_listed;
	if (packet->is_martian || addr_equal(&packet->source, &restore->vip))
		return REASON_martian_passed;
	/* An error about a packet that this service did not send. */
	if (packet->is_error && !addr_equal(&packet->quoted, &restore->vip))
		return REASON_not_listed;
	if (restore->until && restore->until < bpf_jiffies64())
		return REASON_restore_expired;
	return REASON_NONE;
}

/* Counts it by this row, if it is for this host's server. */
INLINE enum reason counted(const struct restore *restore, enum reason reason)
{
	__u32 key = restore->counter;
	__u64 *counter = bpf_map_lookup_elem(&restore_counts, &key);

	if (counter &&
	    (reason == REASON_restored || reason == REASON_decapsulated ||
	     reason == REASON_delivered))
		(*counter)++;
	return reason;
}

#include "Backend/datapath/methods/rewrite.bpf.h"
#include "Backend/datapath/methods/dscp.bpf.h"
#include "Backend/datapath/methods/ipip.bpf.h"
#include "Backend/datapath/methods/l2.bpf.h"
#include "Backend/datapath/trace.bpf.h"

INLINE struct restore *find_restore(const struct packet *packet)
{
	struct restore_key key = {.address = packet->destination,
				  .dscp = dscp_get(packet)};
	struct restore *restore;

	if (key.dscp) {
		restore = restore_of(&key, packet);
		if (restore)
			return restore;
		/* The mark is the client's own. */
		key.dscp = 0;
	}
	return restore_of(&key, packet);
}

INLINE enum reason restore_by_method(struct decision *d)
{
	switch (d->restore->method.forward) {
	case FORWARD_REWRITE:
		return rewrite_restore(d);
	case FORWARD_DSCP:
		return dscp_restore(d);
	case FORWARD_L2:
		return l2_restore(d);
	default:
		return REASON_not_listed;
	}
}

INLINE enum reason restore(struct xdp_md *ctx, struct decision *d)
{
	enum reason reason = parse(ctx, &d->packet);
	__u32 device;

	if (!d->packet.has_destination)
		return reason;
	device = device_of(ctx, &d->packet);
	if (!device)
		return REASON_vlan_tagged;
	d->in = find_interface(device, d->packet.eth);
	if (!d->in)
		return REASON_foreign_mac;
	if (reason == REASON_NONE && is_cut_short(ctx, &d->packet))
		reason = REASON_malformed;
	if (reason != REASON_NONE)
		return refuse(reason);
	if (tunnel_is(&d->packet))
		return ipip_restore(ctx, d);
	d->restore = find_restore(&d->packet);
	reason = listed(d->restore, &d->packet);
	if (reason != REASON_NONE)
		return reason;
	return counted(d->restore, restore_by_method(d));
}

/* With fragments, if the kernel has them: see load.c. */
SEC("xdp")
int xdp_bkd(struct xdp_md *ctx)
{
	struct decision d = {};
	enum reason reason = restore(ctx, &d);
	const struct packet *traced;

	count(reason);
	traced = d.inner ?: d.restore ? &d.packet : NULL;
	if (traced && is_traced(traced))
		trace(&d, reason);
	return reason_action(reason);
}
