/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * trace.bpf.h - one line for one decision of xdp_lbr
 *
 *	xdp_lbr lbdsr0a eth0: 172.17.0.4:40312 > 192.168.25.10:80 tcp syn,
 *	flow new, backend 172.19.0.3, fib SUCCESS via 172.17.0.3
 *	02:42:ac:11:00:03 dev eth0 02:42:ac:11:00:02, forwarded XDP_TX
 *
 * (in one line). `via` is followed by the FIB's next hop, which is the backend
 * if that is on the same segment, and its MAC address; `dev` by the interface
 * that the packet leaves by, and the source MAC address.
 */
#pragma once

#include "LoadBalancer/datapath/backends.bpf.h"
#include "LoadBalancer/datapath/record.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/route.h"
#include "common/core/select.h"
#include "common/core/verifier.h"

static const char fib_names[][16] = {
#define FIB_STRING(name, reason) [BPF_FIB_LKUP_RET_##name] = #name,
	FIB_RESULTS(FIB_STRING)
#undef FIB_STRING
};
static const char nothing[] = "", cached[] = " (cached)";
#define FIB_NAMES (sizeof(fib_names) / sizeof(fib_names[0]))

static const char selected_by_names[8][20] = {
	[SELECTED_BY_TABLE] = "new",
	[SELECTED_BY_MEMORY] = "known",
	[SELECTED_BY_PREVIOUS] = "of previous table",
	[SELECTED_ANEW] = "moved",
	[SELECTED_BY_QUEUE] = "from the queue",
};

/* Printed if it is not the default. */
static const char method_names[8][16] = {
#define METHOD_NAME(name, ...) [FORWARD_##name] = " by " #name,
	METHODS(METHOD_NAME)
#undef METHOD_NAME
};

/*
 * " dev eth0 02:42:ac:11:00:02". For an interface that the program is not
 * attached to it knows only the index: "dev if4 ...".
 */
SEPARATE int trace_dev(void)
{
	__u32 zero = 0, index;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct interface *out = bpf_map_lookup_elem(&interfaces, &zero);
	__u64 number;
	__u8 *mac;

	if (!constants.can_trace || !facts)
		return 0;
	number = facts->out;
	mac = facts->from;
	if (!out || out->device != facts->out) {
		index = interface_index(facts->out, 0, 0);
		out = bpf_map_lookup_elem(&interfaces, &index);
	}
	if (out)
		BPF_SNPRINTF(facts->dev, sizeof(facts->dev),
			     " dev %s %02x:%02x:%02x:%02x:%02x:%02x", out->name,
			     mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	else
		BPF_SNPRINTF(facts->dev, sizeof(facts->dev),
			     " dev if%d %02x:%02x:%02x:%02x:%02x:%02x", number,
			     mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return 0;
}

/* ", fib SUCCESS via 172.17.0.3 02:42:ac:11:00:03", for the line. */
SEPARATE int trace_hop(void)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct line *line;
	__u64 result;
	__u8 *mac;

	if (!constants.can_trace || !facts || !facts->is_traced ||
	    !facts->has_backend)
		return 0;
	line = &facts->line;
	result = facts->fib;
	mac = facts->mac;
	if (result >= FIB_NAMES) {
		BPF_SNPRINTF(line->hop, sizeof(line->hop), ", fib error %d",
			     facts->fib);
		return 0;
	}
	trace_address(line->more, &facts->via);
	if (result == BPF_FIB_LKUP_RET_SUCCESS) {
		trace_dev();
		BPF_SNPRINTF(
			line->hop, sizeof(line->hop),
			", fib %s via %s %02x:%02x:%02x:%02x:%02x:%02x%s%s",
			fib_names[result], line->more, mac[0], mac[1], mac[2],
			mac[3], mac[4], mac[5], facts->dev,
			facts->asked ? nothing : cached);
	} else if (result == BPF_FIB_LKUP_RET_NO_NEIGH)
		BPF_SNPRINTF(line->hop, sizeof(line->hop), ", fib %s via %s",
			     fib_names[result], line->more);
	else
		BPF_SNPRINTF(line->hop, sizeof(line->hop), ", fib %s",
			     fib_names[result]);
	return 0;
}

/* Writes the line whose facts are in `lines`. Not static: verified once. */
SEPARATE int trace_write(void)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct line *line;

	if (!constants.can_trace || !facts || !facts->is_traced)
		return 0;
	line = &facts->line;
	trace_ends(line);
	if (!facts->has_backend) {
		bpf_printk("xdp_lbr %s %s: %s > %s %s, %s %s", constants.host,
			   line->interface, line->from, line->to,
			   trace_protocol(line), TRACE_REASON(line),
			   TRACE_ACTION(line));
		return 0;
	}
	trace_address(line->more, &facts->backend);
	bpf_printk("xdp_lbr %s %s: %s > %s %s, flow %s, backend %s%s%s, %s %s",
		   constants.host, line->interface, line->from, line->to,
		   trace_protocol(line),
		   selected_by_names[WITHIN(facts->selected_by, 8)], line->more,
		   facts->forward ? method_names[WITHIN(facts->forward, 8)]
				  : nothing,
		   line->hop, TRACE_REASON(line), TRACE_ACTION(line));
	return 0;
}

/*
 * What there is to tell of a decision, for gather(). Field by field: with a
 * copy of all, whatever a packet's way has left in the others, its pointers
 * among them, would be another state to the verifier.
 */
INLINE bool hand_facts(const struct decision *d, const struct lookup *l)
{
	struct handed *h = handed();
	struct decision *to = &h->decision;

	if (!h)
		return false;
	to->packet.source = d->packet.source;
	to->packet.destination = d->packet.destination;
	to->packet.source_port = d->packet.source_port;
	to->packet.port = d->packet.port;
	to->packet.protocol = d->packet.protocol;
	to->packet.flags = d->packet.flags;
	to->packet.is_error = d->packet.is_error;
	to->fib = d->fib;
	to->generation_index = d->generation_index;
	to->cell = d->cell;
	to->next_hop_index = d->next_hop_index;
	to->selected_by = d->selected_by;
	to->begins = d->begins;
	to->asked = d->asked;
	h->ifindex = l->in ? l->in->ifindex : 0;
	h->mac = l->in ? mac_number(l->in->mac) : 0;
	h->has_service = l->service != NULL;
	h->backend_id = l->backend ? l->backend->id : 0;
	h->has_hop = l->hop != NULL;
	return true;
}

INLINE void gather_hop(struct lbr_line *facts, const struct handed *h)
{
	struct cached_hop *hop = NULL;

	if (h->has_hop)
		hop = bpf_map_lookup_elem(&next_hops,
					  &h->decision.next_hop_index);
	facts->has_hop = hop != NULL;
	if (!hop)
		return;
	facts->via = hop->via;
	facts->out = hop->out;
	facts->mtu = hop->mtu;
	__builtin_memcpy(facts->mac, hop->destination, sizeof(facts->mac));
	__builtin_memcpy(facts->from, hop->source, sizeof(facts->from));
}

INLINE void gather_backend(struct lbr_line *facts, const struct handed *h)
{
	const struct decision *d = &h->decision;
	struct service_cell *entry = h->has_service ? service_cell(d) : NULL;
	struct backend *backend =
		backend_of(d->generation_index, h->backend_id);

	facts->selected_by = d->selected_by;
	facts->forward = entry ? entry->service.method.forward : 0;
	facts->service = entry ? entry->service.id : 0;
	facts->has_backend = backend != NULL;
	if (backend) /* for which there is a next hop, or none */
		facts->backend = backend->address;
}

/* Not if the kernel cannot trace. */
INLINE bool is_traced(__u32 value, bool begins)
{
	__u32 mode = value & TRACE_MODE;

	return constants.can_trace &&
	       (mode == TRACE_ALL || (mode == TRACE_NEW && begins));
}

/*
 * Writes what there is to say about the decision in `scratch` into `lines`.
 * False: nothing, for it is not for this host. `value`: who wants to be told,
 * see trace_control(). Verified on its own.
 */
SEPARATE int gather(__u32 reason, __u32 value)
{
	__u32 zero = 0;
	struct lbr_line *facts = bpf_map_lookup_elem(&lines, &zero);
	struct handed *h = handed();
	const struct decision *d = &h->decision;
	const struct interface *in;

	if (!facts || !h)
		return false;
	facts->is_traced = is_traced(value, d->begins);
	facts->is_watched = (value & TRACE_WATCHED) != 0;
	if (!facts->is_traced && !facts->is_watched && !DRY_RUN)
		return false;
	in = h->ifindex ? interface_with(h->ifindex, h->mac) : NULL;
	if (!in) {
		facts->is_traced = facts->is_watched = false;
		return false;
	}
	line_begin(&facts->line, &d->packet, in, reason);
	facts->asked = d->asked;
	facts->begins = d->begins;
	facts->fib = d->fib;
	facts->generation_index = d->generation_index;
	facts->in = in->device;
	gather_hop(facts, h);
	gather_backend(facts, h);
	return true;
}

/*
 * Writes the decision to the trace, and to the watcher, if they want it. One
 * function after the other: one within the other, they need more stack.
 */
INLINE void tell(const struct decision *d, const struct lookup *l,
		 enum reason reason, __u32 value)
{
	if (!hand_facts(d, l))
		return;
	gather(reason, value);
	watch_write();
	trace_hop();
	trace_write();
}
