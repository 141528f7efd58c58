/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.bpf.h - `scheduler: workers`: requests to servers with worker threads
 *
 * A request goes to the backend with most free threads, and takes one of them
 * (common/core/schedulers/workers.h). While none is free it is kept in a queue.
 * When a server says that it is done, its message becomes the oldest request in
 * the queue and leaves in its place: a program of XDP can send nothing but the
 * packet that it has.
 *
 * No request waits while a thread is free: whoever frees a thread looks into
 * the queue afterwards, and whoever has put a request into the queue looks for
 * a thread afterwards. Between the two lies an atomic operation, which on every
 * CPU orders them.
 *
 * All works on the decision in `scratch`; each function is verified on its own.
 */
#pragma once

#include "LoadBalancer/datapath/queue.bpf.h"
#include "LoadBalancer/datapath/released.bpf.h"
#include "LoadBalancer/datapath/threads.bpf.h"
#include "LoadBalancer/datapath/workers_trace.bpf.h"

INLINE bool workers_serve_one(struct xdp_md *ctx, struct pool_state *state)
{
	if (!workers_serve(ctx, state))
		return false;
	workers_told(WORKERS_FROM_QUEUE);
	return true;
}

/* A request: REASON_NONE, or why it is not sent now. */
INLINE enum reason workers_request(struct xdp_md *ctx, struct handed *h)
{
	struct decision *d = &h->decision;
	struct service_cell *cell = service_cell(d);
	struct pool_state *state = pool_state(d);
	int reason;

	if (!cell || !state)
		return REASON_no_backend;
	if (d->packet.is_martian)
		return REASON_martian;
	if (d->packet.is_error)
		return REASON_unmatched;
	if (d->packet.flags & (PACKET_FIRST | PACKET_LATER))
		return REASON_request_fragmented;
	if (d->packet.ttl <= 1)
		return REASON_ttl_exceeded;
	if (!*(volatile __u64 *)&state->queued &&
	    workers_take_any(client_name(&d->packet.source,
					 d->packet.source_port,
					 cell->service.id))) {
		workers_told(WORKERS_SENT);
		return REASON_NONE;
	}
	if (!cell->service.table_size)
		return REASON_no_backend;
	reason = workers_push(ctx);
	if (reason != REASON_queued)
		return reason;
	workers_told(WORKERS_QUEUED);
	return workers_serve_one(ctx, state) ? REASON_NONE : REASON_queued;
}

/* A server's message. */
INLINE enum reason workers_release(struct xdp_md *ctx, struct handed *h)
{
	struct pool_state *state = pool_state(&h->decision);
	int reason;

	if (!state || DRY_RUN)
		return REASON_not_vip;
	reason = workers_free_one(ctx);
	if (reason != REASON_released)
		return reason;
	workers_told(h->event);
	return workers_serve_one(ctx, state) ? REASON_NONE : REASON_released;
}

INLINE void workers_decide(struct xdp_md *ctx)
{
	struct handed *h = handed();
	const struct interface *in;
	struct pool_state *state;

	if (!h)
		return;
	h->decision.now = bpf_jiffies64();
	h->decision.begins = true;
	in = interface_with(h->ifindex, h->mac);
	h->generic = in && in->generic;
	h->partial_sum = h->generic && workers_sum_is_partial(ctx);
	h->outcome =
		h->released ? workers_release(ctx, h) : workers_request(ctx, h);
	state = pool_state(&h->decision);
	if (state && h->outcome == REASON_NONE)
		pool_count(state, POOL_SENT);
}
