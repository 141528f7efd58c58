/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * queue.bpf.h - requests that wait for a thread
 *
 * A program of XDP can send nothing but the packet that it has. So a request is
 * copied into the queue, and leaves in place of another packet, which becomes
 * what the request was: bit for bit but for the link's header, which stays, and
 * where Linux has not completed a checksum.
 *
 * All works on the decision in `scratch`; see workers.bpf.h.
 */
#pragma once

#include "LoadBalancer/datapath/leave.bpf.h"
#include "LoadBalancer/datapath/solicit.bpf.h"
#include "LoadBalancer/datapath/threads.bpf.h"
#include "common/bpf/dry.h"
#include "common/bpf/exit.h"
#include "common/bpf/parse.h"

/* The queue of the service of the decision in `scratch`, or NULL. */
INLINE void *workers_queue(const struct decision *d)
{
	struct service_cell *cell = service_cell(d);
	__u32 id = cell ? cell->service.id : 0;

	return bpf_map_lookup_elem(&queues, &id);
}

/*
 * Puts the packet into the queue: REASON_queued, or why not. It is counted
 * before it is there, so that the count is never below 0.
 */
SEPARATE int workers_push(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct handed *h = handed();
	struct queued *frame = bpf_map_lookup_elem(&queue_frame, &zero);
	struct decision *d = &h->decision;
	struct pool_state *state;
	__u64 length;
	void *queue;

	if (!h || !frame)
		return REASON_queue_full;
	state = pool_state(d);
	queue = workers_queue(d);
	length = d->packet.length;
	OPAQUE(length);
	if (!state || !queue || d->packet.l3_offset > L3_MOST ||
	    length < sizeof(struct iphdr) || length > QUEUED_MOST ||
	    bpf_xdp_load_bytes(ctx, d->packet.l3_offset, frame->bytes, length))
		return REASON_queue_full;
	frame->since = bpf_ktime_get_ns();
	frame->length = length;
	frame->has_partial_sum = h->partial_sum;
	if (DRY_RUN)
		return REASON_queued;
	h->place = __sync_fetch_and_add(&state->queued, 1) + 1;
	if (!bpf_map_push_elem(queue, frame, BPF_ANY))
		return REASON_queued;
	__sync_fetch_and_add(&state->queued, -1);
	return REASON_queue_full;
}

/*
 * In generic mode, Linux may not have completed the checksum of a packet that a
 * virtual interface has sent: then the field has the sum of the pseudo-header,
 * and whoever sends the frame completes it. A program cannot ask for that, but
 * see it by the number. Of 65,536 checksums that are complete, one looks so,
 * too.
 */
SEPARATE int workers_sum_is_partial(struct xdp_md *ctx)
{
	struct handed *h = handed();
	struct packet *packet = &h->decision.packet;
	struct udphdr udp = {};

	if (!h || packet->l3_offset > L3_MOST || packet->l4_offset > L4_MOST ||
	    bpf_xdp_load_bytes(ctx, packet->l3_offset + packet->l4_offset, &udp,
			       sizeof(udp)))
		return 0;
	return (FORCE __u16)udp.check == worker_pseudo_sum(&packet->source,
							   &packet->destination,
							   udp.len);
}

/*
 * Can the packet become the one in `queue_frame`, as for its checksum? If the
 * kernel completes one, then that at the same place. Of IPv6 nobody can
 * complete one here; of IPv4 none is as good.
 */
INLINE bool workers_sum_fits(const struct handed *h, const struct queued *frame)
{
	bool is_ipv6 = frame->bytes[0] >> 4 == 6;
	__u32 l4_offset =
		is_ipv6 ? sizeof(struct ipv6hdr) : (frame->bytes[0] & 15) * 4;

	if (!h->generic)
		return true;
	if (h->partial_sum)
		return l4_offset == h->decision.packet.l4_offset;
	return !is_ipv6 || !frame->has_partial_sum;
}

/* ... and as for its length? If not, that is counted. */
INLINE bool workers_fits(struct xdp_md *ctx, const struct handed *h,
			 const struct queued *frame, struct pool_state *state)
{
	if (workers_sum_fits(h, frame) &&
	    solicit_fit(ctx, h->decision.packet.l3_offset, frame->length))
		return true;
	pool_count(state, POOL_SMALL);
	return false;
}

/* Sets the checksum of the packet, which is the one in `parsed` now. */
SEPARATE int workers_set_sum(struct xdp_md *ctx)
{
	__u32 zero = 0, at;
	struct handed *h = handed();
	struct packet *packet = handed_packet();
	struct queued *frame = bpf_map_lookup_elem(&queue_frame, &zero);
	struct udphdr udp = {};

	if (!h || !packet || !frame)
		return 0;
	if (!h->generic || h->partial_sum == !!frame->has_partial_sum)
		return 1;
	if (packet->l3_offset > L3_MOST || packet->l4_offset > L4_MOST)
		return 0;
	at = packet->l3_offset + packet->l4_offset;
	if (bpf_xdp_load_bytes(ctx, at, &udp, sizeof(udp)))
		return 0;
	udp.check = 0;
	if (h->partial_sum)
		udp.check = (FORCE __sum16)worker_pseudo_sum(
			&packet->source, &packet->destination, udp.len);
	return !bpf_xdp_store_bytes(ctx, at, &udp, sizeof(udp));
}

/* Makes the packet the one in `queue_frame`. False: there is no room. */
SEPARATE int workers_replace(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct handed *h = handed();
	struct queued *frame = bpf_map_lookup_elem(&queue_frame, &zero);
	__be16 ethertype;
	__u64 length, at;

	if (!h || !frame)
		return 0;
	length = frame->length;
	OPAQUE(length);
	at = h->decision.packet.l3_offset;
	OPAQUE(at);
	if (length < sizeof(struct iphdr) || length > QUEUED_MOST ||
	    at < sizeof(struct ethhdr) || at > L3_MOST)
		return 0;
	ethertype = frame->bytes[0] >> 4 == 6 ? bpf_htons(ETH_P_IPV6)
					      : bpf_htons(ETH_P_IP);
	return !bpf_xdp_store_bytes(ctx, at - sizeof(ethertype), &ethertype,
				    sizeof(ethertype)) &&
	       !bpf_xdp_store_bytes(ctx, at, frame->bytes, length);
}

/* How long the request in `queue_frame` has waited. */
INLINE void workers_waited(struct handed *h, struct pool_state *state,
			   const struct queued *frame)
{
	__u64 waited = bpf_ktime_get_ns() - frame->since;
	__u32 row = forget(workers_wait(waited));

	if (row < WORKER_WAITS)
		__sync_fetch_and_add(&state->waits[row], 1);
	__sync_fetch_and_add(&state->waited, waited);
	h->waited = waited;
	pool_count(state, POOL_FROM_QUEUE);
}

/*
 * A request that had waited will not be sent. It left its own packet long ago,
 * as `queued`; so it is counted under a second reason.
 */
SEPARATE int workers_lost(__u32 reason)
{
	struct handed *h = handed();
	struct service_cell *cell;

	if (!h)
		return 0;
	cell = service_cell(&h->decision);
	EFFECT(count(reason));
	if (cell)
		EFFECT(count_service(cell->service.id, reason));
	return 0;
}

enum served {
	SERVED_NONE,  /* no thread, no request, or no room in this frame */
	SERVED,	      /* the packet is the request now */
	SERVED_AGAIN, /* another CPU was faster: look again */
};

/*
 * The oldest request in the queue, in place of the packet, for the thread that
 * was taken; enum served. The first look only says how long it is.
 */
SEPARATE int workers_pop(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct handed *h = handed();
	struct queued *frame = bpf_map_lookup_elem(&queue_frame, &zero);
	struct pool_state *state;
	void *queue;

	if (!h || !frame)
		return SERVED_NONE;
	state = pool_state(&h->decision);
	queue = workers_queue(&h->decision);
	if (!state || !queue)
		return SERVED_NONE;
	if (bpf_map_peek_elem(queue, frame))
		return SERVED_AGAIN;
	if (!workers_fits(ctx, h, frame, state))
		return SERVED_NONE;
	if (bpf_map_pop_elem(queue, frame))
		return SERVED_AGAIN;
	/*
	 * Another CPU has taken the one that was looked at. If this one does
	 * not fit, it goes back: to the end, since a queue takes nothing at its
	 * head; so those that came after it overtake it. If the queue has been
	 * filled meanwhile, it is lost.
	 */
	if (!workers_fits(ctx, h, frame, state)) {
		if (bpf_map_push_elem(queue, frame, BPF_ANY)) {
			__sync_fetch_and_add(&state->queued, -1);
			workers_lost(REASON_queue_full);
		}
		return SERVED_NONE;
	}
	__sync_fetch_and_add(&state->queued, -1);
	workers_waited(h, state, frame);
	return SERVED;
}

/*
 * Reads the packet again, which is another now: into the decision. Its client
 * has the slot.
 */
SEPARATE int workers_renew(void)
{
	struct handed *h = handed();
	struct packet *packet = handed_packet();
	struct decision *d = &h->decision;
	struct service_cell *cell;

	if (!h || !packet)
		return 0;
	cell = service_cell(d);
	if (!cell)
		return 0;
	d->packet = *packet;
	d->selected_by = SELECTED_BY_QUEUE;
	workers_change(
		h, worker_slot(worker_until(h->taken),
			       client_name(&packet->source, packet->source_port,
					   cell->service.id)));
	return 1;
}

/*
 * Sends the oldest request of the queue in place of the packet, if a thread is
 * free for it. True: the packet is that request.
 */
INLINE bool workers_serve(struct xdp_md *ctx, struct pool_state *state)
{
	int i, served;

	if (DRY_RUN)
		return false;
	for (i = 0; i < RETRIES; i++) {
		if (!*(volatile __u64 *)&state->queued ||
		    !workers_take_any(WORKER_NOBODY))
			return false;
		served = workers_pop(ctx);
		if (served == SERVED && workers_replace(ctx) &&
		    parse_ip(ctx, parse_link(ctx)) == REASON_NONE &&
		    parse_above(ctx) == REASON_NONE && workers_set_sum(ctx))
			return workers_renew();
		workers_give_back();
		/* Never, for it has been parsed before. */
		if (served == SERVED)
			workers_lost(REASON_malformed_vip);
		if (served != SERVED_AGAIN)
			return false;
	}
	return false;
}
