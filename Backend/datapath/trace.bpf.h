/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.bpf.h - one line for one packet of xdp_bkd
 *
 *	xdp_bkd backend0x eth0: 172.17.0.4:40312 > 172.19.0.3:80 tcp syn,
 *	VIP 192.168.25.10, restored XDP_PASS
 *
 * (in one line). It is about the packet in `parsed`. So while there is a trace,
 * each packet goes the way of the unusual ones (xdp_bkd.bpf.c).
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/core/verifier.h"

/*
 * Is the packet of the line in `lines` the first of its flow? Asked only while
 * `new` is traced.
 */
SEPARATE int begins(void)
{
	__u32 zero = 0;
	const struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct flow_key key = {};
	__u8 seen = 1;

	if (!facts)
		return false;
	if (facts->line.protocol == IPPROTO_TCP)
		return !!(facts->line.flags & PACKET_SYN);
	key.source = facts->line.source;
	key.source_port = facts->line.source_port;
	key.port = facts->line.port;
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

/* Nothing is noted of this packet yet. */
INLINE void trace_begin(void)
{
	__u32 zero = 0;
	struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);

	if (facts)
		facts->is_noted = 0;
}

/* Its interface. */
INLINE void trace_interface(const struct interface *in)
{
	__u32 zero = 0;
	struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);

	if (facts)
		line_interface(&facts->line, in);
}

/* It is for a listed service: there is to be a line. */
INLINE void trace_vip(const struct addr *vip)
{
	__u32 zero = 0;
	struct bkd_line *facts = bpf_map_lookup_elem(&lines, &zero);

	if (!facts)
		return;
	facts->vip = *vip;
	facts->is_noted = 1;
}

/* The line of a packet that leaves with `reason`, if one is wanted. */
INLINE void trace(enum reason reason)
{
	__u32 zero = 0, mode = trace_mode();
	const struct packet *packet = handed_packet();
	struct bkd_line *facts;

	if (mode == TRACE_OFF)
		return;
	facts = bpf_map_lookup_elem(&lines, &zero);
	if (!facts || !facts->is_noted || !packet)
		return;
	line_packet(&facts->line, packet, reason);
	if (mode == TRACE_ALL || begins())
		trace_write();
}
