/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers_trace.bpf.h - what becomes of a request or a server's message, and
 * how many threads of each backend are free then
 *
 *	xdp_lbr lb eth0: workers: 172.18.0.2:4031 > 192.168.25.10:8080 queued,
 *	place 3; free: 172.18.0.11 0, 172.18.0.12 0, 172.18.0.13 0
 *
 * (in one line; of more than four backends, in several). The packet's own line
 * follows: trace.bpf.h.
 */
#pragma once

#include "LoadBalancer/datapath/threads.bpf.h"
#include "LoadBalancer/datapath/trace.bpf.h"
#include "common/core/verifier.h"

/* Backends in a line: the kernel takes 512 bytes of text for all of it. */
#define FREE_IN_LINE 4

/* What happened, into the line under construction. */
SEPARATE int workers_event_text(__u32 event)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct handed *h = handed();
	struct backend *backend;
	struct line *line;
	__u64 number;

	if (!constants.can_trace || !facts || !h)
		return 0;
	line = &facts->line;
	line->more[0] = '\0';
	backend = backend_of(h->decision.generation_index, h->backend_id);
	if (backend)
		trace_address(line->more, &backend->address);
	if (event == WORKERS_SENT) {
		BPF_SNPRINTF(line->hop, sizeof(line->hop), "to %s", line->more);
	} else if (event == WORKERS_FROM_QUEUE) {
		number = h->waited / 1000000;
		BPF_SNPRINTF(line->hop, sizeof(line->hop),
			     "from the queue after %d ms to %s", number,
			     line->more);
	} else if (event == WORKERS_QUEUED) {
		number = h->place;
		BPF_SNPRINTF(line->hop, sizeof(line->hop), "queued, place %d",
			     number);
	} else if (event == WORKERS_DONE) {
		BPF_SNPRINTF(line->hop, sizeof(line->hop), "done%s", nothing);
	} else if (event == WORKERS_NOT_BUSY) {
		BPF_SNPRINTF(line->hop, sizeof(line->hop),
			     "done, but it works on no such request%s",
			     nothing);
	} else {
		BPF_SNPRINTF(line->hop, sizeof(line->hop),
			     "by lbr run: what waits may leave%s", nothing);
	}
	return 0;
}

/*
 * Adds the backend in this place of the service's table to the line. False:
 * there is none.
 */
SEPARATE int workers_free_text(__u32 number)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct handed *h = handed();
	struct decision *d = &h->decision;
	struct service_cell *cell;
	struct backend *backend;
	__u64 count;

	if (!constants.can_trace || !facts || !h)
		return 0;
	cell = service_cell(d);
	if (!cell || number >= cell->service.table_size)
		return 0;
	backend = backend_in_slot(d->generation_index,
				  slot_at(&cell->service, number));
	if (!backend)
		return 0;
	count = workers_free_at(d->generation_index, d->cell, number) & 0xffff;
	trace_address(facts->line.more, &backend->address);
	/* What it writes it has read before. */
	if (facts->free[0])
		BPF_SNPRINTF(facts->free, sizeof(facts->free), "%s, %s %d",
			     facts->free, facts->line.more, count);
	else
		BPF_SNPRINTF(facts->free, sizeof(facts->free), "%s %d",
			     facts->line.more, count);
	return 1;
}

/* Writes the line, and begins the next one. */
SEPARATE int workers_line(__u32 is_first)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct line *line;

	if (!constants.can_trace || !facts)
		return 0;
	line = &facts->line;
	if (!is_first && !facts->free[0])
		return 0;
	if (is_first)
		bpf_printk("xdp_lbr %s %s: workers: %s > %s %s; free: %s",
			   constants.host, line->interface, line->from,
			   line->to, line->hop, facts->free);
	else
		bpf_printk("xdp_lbr %s %s: workers: %s > %s; free: %s",
			   constants.host, line->interface, line->from,
			   line->to, facts->free);
	facts->free[0] = '\0';
	return 0;
}

/* For the decision in `scratch`. Verified on its own. */
SEPARATE int workers_tell(__u32 event)
{
	__u32 i, zero = 0, is_first = 1;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct handed *h = handed();
	const struct interface *in;
	int is_there;

	if (!constants.can_trace || !facts || !h)
		return 0;
	in = interface_with(h->ifindex, h->mac);
	if (!in)
		return 0;
	line_begin(&facts->line, &h->decision.packet, in, REASON_queued);
	trace_ends(&facts->line);
	workers_event_text(event);
	facts->free[0] = '\0';
	for (i = 0; i < MAX_POOL_MEMBERS + 1; i++) {
		is_there = workers_free_text(i);
		if (is_there && i % FREE_IN_LINE != FREE_IN_LINE - 1)
			continue;
		workers_line(is_first);
		is_first = 0;
		if (!is_there)
			break;
	}
	return 0;
}

/* ... if anybody wants it. Nothing in a dry run. */
INLINE void workers_told(enum workers_event event)
{
	if (UNLIKELY(!DRY_RUN && trace_mode() != TRACE_OFF))
		workers_tell(event);
}
