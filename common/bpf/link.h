/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * link.h - parse a packet where the kernel has taken it, behind XDP, or is
 * about to send it
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "common/bpf/context.h"
#include "common/bpf/device.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"

/* `link`: the frame has an Ethernet header. */
INLINE enum reason link_parse(CONTEXT *ctx, bool link)
{
	struct packet *found = handed_packet();
	__u32 most = ctx->len < 256 ? ctx->len : 256;
	enum reason reason;
	int ethertype;

	/* So that all headers, those inside an ICMP error too, can be read. */
	if ((__u64)(ctx->data_end - ctx->data) < most)
		bpf_skb_pull_data(ctx, most);
	if (!found)
		return REASON_malformed;
	if (link) {
		ethertype = parse_link(ctx);
	} else {
		__builtin_memset(found, 0, sizeof(*found));
		ethertype = (__u16)ctx->protocol;
	}
	reason = parse_further(ctx, found, parse_ip(ctx, ethertype));
	return found->has_destination ? reason : REASON_malformed;
}
