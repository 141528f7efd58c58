/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device.h - how a packet came in that the kernel has taken, behind XDP
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "common/bpf/context.h"
#include "common/bpf/exit.h"
#include "common/bpf/vlan.h"

/* The device that the packet came in by, as the FIB knows it; 0: none. */
INLINE __u32 link_device(CONTEXT *ctx)
{
	__u32 port = ctx->ifindex;
	const struct interface *in;
	__u16 tag;

	/* Or clang takes the address of the field, and reads it later. */
	OPAQUE(port);
	if (ctx->vlan_present) {
		tag = tag_read((FORCE __be16)ctx->vlan_proto,
			       bpf_htons(ctx->vlan_tci));
		return vlan_device(port, (__u32)tag << 16);
	}
	in = interface_of(port);
	return in ? in->device : port;
}

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
