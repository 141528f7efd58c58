// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_bkd - the backend's data path
 *
 *	parse  ->  listed?  ->  restore  ->  pass up
 *
 * A packet for one of this host's addresses, with a protocol and port that
 * the file lists for it, gets the VIP back as its destination, as the client
 * sent it; the server, with the VIP on lo, answers from the VIP, straight to
 * the client. All else passes untouched: the host's own connections, SSH,
 * checks to its own address on other ports.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/clock.h"
#include "common/bpf/map.h"
#include "common/bpf/vlan.h"
#include "common/core/abi.h"
#include "common/core/packet.h"
#include "common/core/reason.h"
#include "common/core/rewrite.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct constants constants = {};

/* What the file says for this host, complete, once for each generation. */
MAP(generations, ARRAY, __u32, struct generation, GENERATIONS);
MAP_OF_GENERATIONS(restores, HASH, BPF_F_NO_PREALLOC, struct restore_key,
		   struct restore, MAX_SERVICES * 2);

/* What lives across generations. */
MAP(control, ARRAY, __u32, __u32, CONTROLS);
MAP(interfaces, ARRAY, __u32, struct interface, MAX_INTERFACES);
MAP(reasons, PERCPU_ARRAY, __u32, __u64, REASON_MAX);

/* UDP flows of which the first packet was traced; used for nothing else. */
MAP(traced_flows, LRU_HASH, struct flow_key, __u8, 4096);

/* The tool's alone: what it changed on this host, to be put back. */
MAP(changes, ARRAY, __u32, struct change, MAX_CHANGES);

/* One packet's way through the program; what a trace line tells. */
struct decision {
	struct packet packet;
	struct interface *in;
	struct restore *restore;
};

#include "common/bpf/parse.h"
#include "common/bpf/exit.h"
#include "Backend/trace.bpf.h"

INLINE struct restore *find_restore(const struct packet *packet)
{
	struct restore_key key = {packet->destination, packet->port,
				  packet->protocol, 0};
	__u32 slot = generation_slot();
	void *map = bpf_map_lookup_elem(&restores, &slot);
	struct restore *restore;

	if (!map)
		return NULL;
	restore = bpf_map_lookup_elem(map, &key);
	if (restore)
		return restore;
	key.port = 0;
	return bpf_map_lookup_elem(map, &key);
}

/* Why xdp_bkd leaves alone what the parser did not understand. */
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
	d->restore = find_restore(&d->packet);
	if (!d->restore)
		return packet_is_unknown(&d->packet) ? REASON_fragment_passed
						     : REASON_not_listed;
	/* An error about a packet that this service did not send. */
	if (d->packet.is_error &&
	    !addr_equal(&d->packet.quoted, &d->restore->vip))
		return REASON_not_listed;
	if (d->restore->until && d->restore->until < bpf_jiffies64())
		return REASON_restore_expired;
	rewrite_destination(&d->packet, &d->restore->vip);
	return REASON_restored;
}

/* With fragments, where the kernel has them: see load.c. */
SEC("xdp")
int xdp_bkd(struct xdp_md *ctx)
{
	struct decision d = {};
	enum reason reason = restore(ctx, &d);

	count(reason);
	if (d.restore && is_traced(&d.packet))
		trace(&d, reason);
	return reason_action(reason);
}
