/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leave.bpf.h - the one way out of xdp_lbr: a packet is counted under its
 * reason, told of, and leaves by that reason's action
 */
#pragma once

#include "LoadBalancer/datapath/counts.bpf.h"
#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "LoadBalancer/datapath/trace.bpf.h"
#include "common/bpf/dry.h"
#include "common/bpf/exit.h"
#include "common/core/verifier.h"

/* Verified on its own: few packets come here. */
SEPARATE int count_service(__u32 service, __u32 reason)
{
	count_service_by(service, reason, 1);
	return 0;
}

INLINE void count_backend(const struct decision *d, const struct lookup *l)
{
	__u32 key = l->backend->id % BACKEND_INDEXES;
	struct backend_count *counter =
		bpf_map_lookup_elem(&backend_counts, &key);

	if (!counter)
		return;
	counter->packets++;
	counter->bytes += d->packet.l3_offset + d->packet.length;
	counter->flows += d->begins;
}

/* Sent to the backend, by us or by the kernel. */
INLINE bool goes_to_backend(enum reason reason)
{
	return reason == REASON_forwarded || reason == REASON_redirected ||
	       kernel_forwards(reason);
}

/* For redirect_refused.bpf.c, if the kernel does not send the packet. */
INLINE void note_redirected(const struct decision *d, const struct lookup *l)
{
	__u32 zero = 0;
	struct redirected *last = bpf_map_lookup_elem(&last_redirected, &zero);

	if (!last || !l->backend)
		return;
	last->service = l->backend->service;
	last->backend = l->backend->id;
	last->bytes = d->packet.l3_offset + d->packet.length;
	last->begins = d->begins;
}

/* Returns the action. A dry run leaves a record of the decision instead. */
INLINE int leave(struct decision *d, struct lookup *l, enum reason reason)
{
	__u32 word;

#if DRY_RUN
	explain_write(hand_facts(d, l) && gather(reason, 0), reason);
	return reason_action(reason);
#endif
	count(reason);
	if (l->backend && goes_to_backend(reason))
		count_backend(d, l);
	if (UNLIKELY(reason != REASON_forwarded &&
		     reason != REASON_redirected && l->service))
		count_service(l->service->id, reason);
	word = trace_control();
	if (UNLIKELY(word) && d->for_vip)
		tell(d, l, reason, word);
	if (LIKELY(reason == REASON_forwarded))
		return XDP_TX;
	if (reason == REASON_redirected && l->hop) {
		note_redirected(d, l);
		return bpf_redirect(l->hop->out, 0);
	}
	return reason_action(reason);
}
