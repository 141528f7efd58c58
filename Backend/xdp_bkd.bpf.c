// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_bkd - the backend's data path
 *
 *	parse  ->  listed?  ->  whose flow?  ->  restore  ->  pass up
 *
 * A packet for one of this host's addresses, with a protocol and port that the
 * file lists for it, becomes what the client sent, by the method of its
 * service. The server, with the VIP on lo, answers from the VIP, straight to
 * the client. Everything else passes untouched: the host's own connections,
 * SSH, checks to its own address on other ports.
 */
#include "Backend/datapath/maps.bpf.h"
#include "Backend/datapath/method.bpf.h"
#include "Backend/datapath/restore.bpf.h"
#include "Backend/datapath/second_chance.bpf.h"
#include "Backend/datapath/trace.bpf.h"
#include "common/bpf/clock.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"
#include "common/bpf/vlan.h"
#include "common/core/dscp.h"
#include "common/core/verifier.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * See parse.h. Wanted: a first fragment for this host's MAC address (for an
 * inner packet, restore() has asked that). It need not be for a listed port:
 * otherwise the later fragments of the host's own packets would be counted as
 * fragments without a first one.
 */
SEPARATE int fragment_is_wanted(struct xdp_md *ctx)
{
	struct packet *packet = handed_packet();
	struct ethhdr *eth = (void *)(long)ctx->data;

	if (!packet || (void *)(eth + 1) > (void *)(long)ctx->data_end)
		return false;
	return packet->l3_offset > L2_MOST ||
	       find_interface(device_of(ctx, packet), eth);
}

INLINE struct restore *find_restore(const struct packet *packet)
{
	struct restore_key key = {.address = packet->destination,
				  .dscp = dscp_get(packet)};
	struct restore *restore;

	if (key.dscp) {
		restore = restore_of(&key, packet);
		if (restore && !restore_is_over(restore))
			return restore;
		/* The mark is the client's own. */
		key.dscp = 0;
	}
	return restore_of(&key, packet);
}

INLINE enum reason restore(struct xdp_md *ctx, struct decision *d)
{
	enum reason reason = parse(ctx, &d->packet), restored;
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
	if (is_outer(&d->packet))
		return take_out(ctx, d);
	d->restore = find_restore(&d->packet);
	reason = listed(d->restore, &d->packet);
	if (reason != REASON_NONE)
		return reason;
	reason = second_chance(ctx, d);
	if (reason != REASON_NONE && reason != REASON_second_chance_spent)
		return reason;
	restored = restore_by_method(d);
	return counted(d->restore, reason == REASON_NONE ? restored : reason);
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
