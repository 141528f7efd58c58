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
#include "Backend/datapath/listener.bpf.h"
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

/*
 * The packet becomes what the client sent. `asked`: what ask_and_pass_on() said
 * of it, or REASON_NONE.
 */
INLINE enum reason restore(struct decision *d, enum reason asked)
{
	enum reason restored = restore_by_method(d);

	return counted(d->restore, asked == REASON_NONE ? restored : asked);
}

/*
 * A plain packet: in registers, as far as they go. Nothing may take the address
 * of *d, and no trace is written. REASON_UNUSUAL: leave_unusual() has to look;
 * nothing is done yet.
 */
INLINE enum reason leave_plain(struct xdp_md *ctx, struct decision *d)
{
	const struct interface *in =
		find_interface(ctx->ingress_ifindex, d->packet.eth);
	enum reason reason;

	if (!in)
		return REASON_foreign_mac;
	if (is_cut_short(ctx, &d->packet))
		return REASON_malformed;
	/* So that what follows is verified once for all of these. */
	d->packet.protocol = forget(d->packet.protocol);
	d->packet.flags = forget(d->packet.flags);
	d->restore = find_at_once(&d->packet, dscp_get(&d->packet));
	if (d->restore == RESTORE_UNSURE)
		return REASON_UNUSUAL;
	reason = listed(d->restore, &d->packet);
	if (reason != REASON_NONE)
		return reason;
	if (wants_listener(d->restore, &d->packet))
		return REASON_UNUSUAL;
	if (may_be_elsewhere(d, in->device, in->most)) {
		reason = ask_and_pass_on(ctx);
		if (has_gone(reason))
			return reason;
	}
	return restore(d, reason);
}

/* Is the packet in `parsed` for this host, and whole? Notes the interface. */
SEPARATE int arrived(struct xdp_md *ctx, int reason)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet *found = handed_packet();
	__u32 device, zero = 0;
	struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	const struct interface *in;
	struct packet packet;

	if (!found || !chance)
		return REASON_malformed;
	reason = parsed_packet(&packet, found, reason, data, end);
	if (!packet.has_destination)
		return reason;
	device = device_of(ctx, &packet);
	if (!device)
		return REASON_vlan_tagged;
	in = find_interface(device, packet.eth);
	if (!in)
		return REASON_foreign_mac;
	chance->device = in->device;
	chance->most = in->most;
	trace_interface(in);
	if (reason == REASON_NONE && is_cut_short(ctx, &packet))
		reason = REASON_malformed;
	return reason == REASON_NONE ? REASON_NONE : (int)refuse(reason);
}

/* listed() for the packet in `parsed`; `row`: by find_row(). */
SEPARATE int listed_unusual(int generation, int row)
{
	const struct packet *found = handed_packet();
	const struct restores *rows = restores_at(generation);
	const struct restore *restore;

	if (!rows || !found)
		return REASON_not_listed;
	restore = row_at(rows, row);
	if (restore)
		trace_vip(&restore->vip);
	return listed(restore, found);
}

/* The packet in `parsed`, and its row. False: never, but for the verifier. */
INLINE bool take_unusual(struct decision *d, struct xdp_md *ctx, int generation,
			 int row)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	const struct packet *found = handed_packet();
	const struct restores *rows = restores_at(generation);

	if (!rows || !found)
		return false;
	d->restore = row_at(rows, row);
	return d->restore && take_packet(&d->packet, found, data, end);
}

/* may_be_elsewhere() for it. */
SEPARATE int unusual_may_be_elsewhere(struct xdp_md *ctx, int generation,
				      int row)
{
	__u32 zero = 0;
	const struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	struct decision d = {};

	return chance && take_unusual(&d, ctx, generation, row) &&
	       may_be_elsewhere(&d, chance->device, chance->most);
}

/* restore() for it. */
SEPARATE int restore_unusual(struct xdp_md *ctx, int generation, int row,
			     int asked)
{
	struct decision d = {};

	if (!take_unusual(&d, ctx, generation, row))
		return REASON_malformed;
	return restore(&d, asked);
}

/*
 * Any other packet. It lies in `parsed`, and each step is a function of its
 * own, called one after the other: so they share the stack.
 */
INLINE enum reason leave_unusual(struct xdp_md *ctx)
{
	struct packet *found = handed_packet();
	enum reason reason;
	int generation, row;

	reason = parse_ip(ctx, parse_link(ctx));
	if (!found)
		return REASON_malformed;
	trace_begin();
	reason = parse_further(ctx, found, reason);
	reason = arrived(ctx, reason);
	if (reason != REASON_NONE)
		return reason;
	if (is_outer(found))
		return take_out(ctx, found);
	generation = generation_index();
	row = find_row(ctx, generation);
	reason = listed_unusual(generation, row);
	if (reason != REASON_NONE)
		return reason;
	listener_note(ctx, generation, row);
	if (unusual_may_be_elsewhere(ctx, generation, row)) {
		reason = ask_and_pass_on(ctx);
		if (has_gone(reason))
			return reason;
	}
	return restore_unusual(ctx, generation, row, reason);
}

/* With fragments, if the kernel has them: see load.c. */
SEC("xdp")
int xdp_bkd(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct decision d = {};
	enum reason reason = packet_parse_plain(&d.packet, data, end);

	if (reason == REASON_NONE)
		reason = trace_mode() == TRACE_OFF ? leave_plain(ctx, &d)
						   : REASON_UNUSUAL;
	if (reason == REASON_UNUSUAL && trace_mode() == TRACE_OFF)
		reason = packet_is_tagged(&d.packet) && vlan_is_foreign(ctx)
				 ? REASON_vlan_tagged
				 : take_out_plain(ctx);
	if (reason == REASON_UNUSUAL) {
		reason = leave_unusual(ctx);
		trace(reason);
	}
	count(reason);
	return reason_action(reason);
}
