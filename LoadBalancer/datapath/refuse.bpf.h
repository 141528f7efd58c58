/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * refuse.bpf.h - packets for a VIP that are for none of its services or not fit
 * to be forwarded, and others that are for no VIP but for xdp_lbr
 *
 * In a function that the kernel verifies on its own: few packets come here.
 */
#pragma once

#include "LoadBalancer/datapath/check_reply.bpf.h"
#include "LoadBalancer/datapath/icmp_error.bpf.h"
#include "LoadBalancer/datapath/pass.bpf.h"
#include "LoadBalancer/datapath/path_mtu.bpf.h"
#include "LoadBalancer/datapath/service.bpf.h"
#include "common/bpf/hand.h"
#include "common/core/echo.h"
#include "common/core/packet_parse.h"
#include "common/core/verifier.h"

/* Answers the echo request in `parsed`. Verified on its own. */
SEPARATE int refuse_echo(struct xdp_md *ctx)
{
	const struct packet *found = handed_packet();
	struct packet packet;

	if (!found)
		return REASON_malformed_vip;
	if (found->is_martian)
		return REASON_martian;
	if (!header_is_whole(ctx, found->l3_offset, !!found->is_ipv6))
		return REASON_malformed_vip;
	packet = *found;
	if (packet_locate(&packet, (void *)(long)ctx->data,
			  (void *)(long)ctx->data_end))
		return REASON_malformed_vip;
	echo_reply(&packet);
	return REASON_echo_answered;
}

/* The packet in `parsed` is for a VIP, but `reason` speaks against it. */
INLINE enum reason refuse_for_vip(struct xdp_md *ctx, struct packet *packet,
				  const struct generation *generation,
				  __u32 device, enum reason reason)
{
	if (reason == REASON_malformed)
		return REASON_malformed_vip;
	if (reason == REASON_NONE && packet->flags & PACKET_NEIGHBOUR)
		return REASON_neighbour_discovery;
	if (reason == REASON_NONE && packet->is_echo)
		return refuse_echo(ctx);
	if (reason == REASON_NONE)
		reason = REASON_unmatched;
	if (packet_is_unknown(packet)) {
		packet->port = 0;
		reason = REASON_fragment;
	}
	return unserved(ctx, device, generation->unmatched, reason);
}

/* In the answer of refused_rarely(): the packet is for a VIP. */
#define REFUSED_VIP 256
_Static_assert(REASON_MAX <= REFUSED_VIP, "beside a reason");

/*
 * The reason for the packet in `parsed`. `index`: of its generation. `for_vip`:
 * as in struct decision, if `reason` is none. `reason`: why it is not fit, or
 * none. `device`: the incoming one, as the FIB knows it. REASON_NONE: it is for
 * no VIP, but an error that learn_mtu() is to read. Verified on its own.
 */
SEPARATE int refused_rarely(struct xdp_md *ctx, __u32 index, __u32 for_vip,
			    __u32 reason, __u32 device)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct packet *packet = handed_packet();
	struct service_table table;

	if (!generation || !packet)
		return REASON_not_vip;
	if (reason != REASON_NONE) {
		table = service_table_of(index, generation, packet);
		for_vip = find_mark(&table, packet);
	} else if (checks_run() && check_reply_is()) {
		EFFECT(check_reply_send(ctx));
		return REASON_check_reply | (for_vip ? REFUSED_VIP : 0);
	}
	if (for_vip && !removing_is_over(index, for_vip - 1))
		return REFUSED_VIP |
		       refuse_for_vip(ctx, packet, generation, device, reason);
	if (reason == REASON_NONE && packet->flags & PACKET_QUOTES)
		return REASON_NONE;
	return reason == REASON_malformed ? reason : REASON_not_vip;
}
