/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.bpf.h - one line for one packet of xdp_bkd
 *
 *	xdp_bkd backend0x eth0: 172.17.0.4:40312 > 172.19.0.3:80 tcp syn,
 *	VIP 192.168.25.10, restored XDP_PASS
 *
 * (in one line).
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/verifier.h"

/* Is this the first packet of its flow? Asked only while `new` is traced. */
NOINLINE bool begins(const struct packet *packet)
{
	struct flow_key key = {packet->source, packet->source_port,
			       packet->port, 0};
	__u8 seen = 1;

	if (packet->protocol == IPPROTO_TCP)
		return packet->flags & PACKET_SYN;
	if (bpf_map_lookup_elem(&traced_flows, &key))
		return false;
	bpf_map_update_elem(&traced_flows, &key, &seen, BPF_ANY);
	return true;
}

/* Writes the line whose facts are in `lines`. Not static: verified once. */
SEPARATE int trace_write(void)
{
	__u32 zero = 0;
	struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct line *line;

	if (!constants.can_trace || !facts)
		return 0;
	line = &facts->line;
	trace_ends(line);
	trace_address(line->more, &facts->vip);
	bpf_printk("xdp_bkd %s %s: %s > %s %s, VIP %s, %s %s", constants.host,
		   line->interface, line->from, line->to, trace_protocol(line),
		   line->more, TRACE_REASON(line), TRACE_ACTION(line));
	return 0;
}

INLINE bool is_traced(const struct packet *packet)
{
	__u32 mode = trace_mode();

	return mode == TRACE_ALL || (mode == TRACE_NEW && begins(packet));
}

INLINE void trace(const struct decision *d, enum reason reason)
{
	__u32 zero = 0;
	struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);

	if (!facts || !d->in)
		return;
	if (d->inner) {
		line_begin(&facts->line, d->inner, d->in, reason);
		facts->vip = d->inner->destination;
	} else if (d->restore) {
		line_begin(&facts->line, &d->packet, d->in, reason);
		facts->vip = d->restore->vip;
	}
	trace_write();
}
