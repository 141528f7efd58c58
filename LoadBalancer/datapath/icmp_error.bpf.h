/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp_error.bpf.h - xdp_lbr's ICMP errors, which it sends back to where their
 * packet came from
 */
#pragma once

#include "LoadBalancer/datapath/icmp_error_write.bpf.h"
#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/bpf/vlan.h"
#include "common/core/icmp_error.h"
#include "common/core/verifier.h"

/*
 * Makes room for `head` bytes in front of the packet, and cuts it after
 * `quote`.
 */
INLINE bool icmp_error_fit(struct xdp_md *ctx, __u32 l3_offset, __u32 head,
			   __u32 quote)
{
	__u32 size = (__u32)(ctx->data_end - ctx->data);

	if (constants.has_frags)
		size = (__u32)bpf_xdp_get_buff_len(ctx);
	if (bpf_xdp_adjust_head(ctx, -(int)head))
		return false;
	return !bpf_xdp_adjust_tail(ctx, (int)(l3_offset + quote) - (int)size);
}

/*
 * Writes the error about the packet in `parsed`, whose destination is the
 * address that answers.
 */
SEPARATE int icmp_error_write(struct xdp_md *ctx, __u32 what, __u32 mtu)
{
	struct packet *packet = handed_packet();
	__u32 quote;

	if (!packet)
		return ICMP_ERROR_NONE;
	if (what == ICMP_ERROR_TOO_BIG)
		mtu = icmp_error_mtu(packet, mtu);
	quote = icmp_error_cut(ctx, packet);
	if (!icmp_error_fit(ctx, packet->l3_offset, icmp_error_head(packet),
			    quote))
		return ICMP_ERROR_NONE;
	return icmp_error_put(ctx, packet, what, mtu, quote);
}

/*
 * Answers the packet in `parsed`; enum icmp_error_result. `mtu`: of the path
 * that the packet is too big for.
 */
SEPARATE int icmp_error(struct xdp_md *ctx, __u32 what, __u32 mtu)
{
	struct packet *packet = handed_packet();
	struct ethhdr *eth = (void *)(long)ctx->data;
	const struct interface *in;
	const struct addr *own;

	if (!packet || (void *)(eth + 1) > (void *)(long)ctx->data_end)
		return ICMP_ERROR_NONE;
	in = find_interface(device_of(ctx, packet), eth);
	if (!in || !icmp_error_is_allowed(packet, in->generic))
		return ICMP_ERROR_NONE;
	own = &in->own[packet->is_ipv6 ? 1 : 0];
	if (!own->w[3] ||
	    (what == ICMP_ERROR_TOO_BIG && !icmp_error_helps(packet)))
		return ICMP_ERROR_NONE;
	if (!header_is_whole(ctx, packet->l3_offset, !!packet->is_ipv6))
		return ICMP_ERROR_DAMAGED;
	if (!may_send_icmp_error(what))
		return ICMP_ERROR_LIMITED;
	packet->destination = *own;
	return icmp_error_write(ctx, what, mtu);
}

/* The same for any packet; returns the reason. */
INLINE enum reason send_icmp_error(struct xdp_md *ctx,
				   const struct packet *packet,
				   enum icmp_error what, __u32 mtu)
{
	int result = ICMP_ERROR_NONE;

	if (hand_packet(packet))
		result = icmp_error(ctx, what, mtu);
	return icmp_error_reason(result, what);
}
