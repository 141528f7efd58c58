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
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"

/*
 * Has the frame no Ethernet header here? If generic XDP has copied a packet,
 * the kernel forgets how long that was (mac_len), and begins at the IP header.
 * Seen on 6.18; a later bpf_redirect_neigh() would take 14 bytes of the packet
 * for it.
 */
INLINE bool link_is_missing(CONTEXT *ctx)
{
	__u64 first = 0, ip = 1;

	bpf_skb_load_bytes(ctx, 0, &first, sizeof(first));
	bpf_skb_load_bytes_relative(ctx, 0, &ip, sizeof(ip), BPF_HDR_START_NET);
	return first == ip;
}

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
