/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_trace.bpf.h - one line for one packet that lbr_nat has taken
 *
 *	lbr_nat lb eth0: 10.0.0.1:40312 > 10.0.0.10:80 tcp syn, flow new,
 *	as 10.0.0.9:23456 > 10.0.0.2:80, translated XDP_REDIRECT
 *
 * (in one line), after xdp_lbr's of the same packet. A reply has only this one.
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "LoadBalancer/datapath/nat_maps.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/trace.h"

static const char flow_words[2][8] = {"known", "new"};

INLINE void nat_line(struct line *line, const struct nat_handed *h)
{
	trace_ends(line);
	if (!h->row) {
		bpf_printk("lbr_nat %s %s: %s > %s %s, %s %s", constants.host,
			   line->interface, line->from, line->to,
			   trace_protocol(line), TRACE_REASON(line),
			   TRACE_ACTION(line));
		return;
	}
	trace_endpoint(line->more, &h->source, h->source_port);
	trace_endpoint(line->hop, &h->destination, h->port);
	bpf_printk("lbr_nat %s %s: %s > %s %s, flow %s, as %s > %s, %s %s",
		   constants.host, line->interface, line->from, line->to,
		   trace_protocol(line), flow_words[h->begins & 1], line->more,
		   line->hop, TRACE_REASON(line), TRACE_ACTION(line));
}

/* Writes the packet in `parsed` and `nat_handed` to the trace, if it is on. */
SEPARATE int nat_tell(CONTEXT *ctx)
{
	__u32 zero = 0, mode = trace_mode(), port = ctx->ifindex;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct nat_handed *h = nat_handed_over();
	struct packet *packet = handed_packet();
	const struct interface *in;

	if (!constants.can_trace || !facts || !packet || !h ||
	    (mode != TRACE_ALL && !(mode == TRACE_NEW && h->begins)))
		return 0;
	in = interface_of(port);
	if (!in)
		return 0;
	line_begin(&facts->line, packet, in, h->reason);
	nat_line(&facts->line, h);
	return 0;
}
