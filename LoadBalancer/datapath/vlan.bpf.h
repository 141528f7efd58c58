/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vlan.bpf.h - a frame that leaves in another VLAN than it came in by
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/core/packet_parse.h"
#include "common/core/verifier.h"

/*
 * The FIB knows devices; XDP sends out of a port, with the tags in the frame.
 * If that is the incoming port, the frame goes back: XDP_TX. In generic mode
 * the kernel adds the tags, so a frame is sent to the device.
 */
INLINE void hop_over_vlan(struct cached_hop *hop, const struct handed *h)
{
	struct vlan_port *in, *out;
	__u32 port = h->device;

	/*
	 * If it leaves as it came: looking costs a quarter of asking the FIB.
	 */
	hop->vlan = h->decision.packet.vlan;
	if (h->generic || hop->out == h->device)
		return;
	__builtin_memset(&hop->vlan, 0, sizeof(hop->vlan));
	in = bpf_map_lookup_elem(&vlan_ports, &port);
	if (in)
		port = in->port;
	out = bpf_map_lookup_elem(&vlan_ports, &hop->out);
	if (out) {
		hop->vlan = out->vlan;
		hop->out = out->port;
	}
	if (hop->out == port)
		hop->out = h->device;
}

INLINE void tag_write(struct tag *tag, __u16 is, __be16 priority)
{
	tag->tci = bpf_htons(is & TAG_VLAN) | priority;
}

/*
 * Gives the frame other tags, in front of what its last one announces. Priority
 * and drop eligibility stay with a tag that stays: outer with outer, else
 * innermost with innermost. The MAC addresses are written later. Not 0: there
 * is no room.
 */
SEPARATE int vlan_write(struct xdp_md *ctx, __u32 was, __u32 is)
{
	struct {
		__u8 macs[2 * ETH_ALEN];
		__be16 protocol;
		struct tag tag[TAGS_MOST];
	} * frame;
	int grows = (int)vlan_size(is) - (int)vlan_size(was);
	__be16 priority[TAGS_MOST] = {0, 0}, last;
	__u32 i;

	frame = (void *)(long)ctx->data;
	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return -1;
	last = frame->protocol;
	for (i = 0; i < TAGS_MOST; i++) {
		if (!is_tag(last))
			break;
		priority[i] = frame->tag[i].tci & TCI_PRIORITY;
		last = frame->tag[i].protocol;
	}
	if (grows && bpf_xdp_adjust_head(ctx, -grows))
		return -1;
	frame = (void *)(long)ctx->data;
	if ((void *)(frame + 1) > (void *)(long)ctx->data_end)
		return -1;
	if (!(is >> 16)) {
		frame->protocol = last;
		return 0;
	}
	frame->protocol = tag_protocol(is >> 16);
	tag_write(&frame->tag[0], is >> 16, priority[0]);
	if (!(is & 0xffff)) {
		frame->tag[0].protocol = last;
		return 0;
	}
	frame->tag[0].protocol = tag_protocol(is);
	tag_write(&frame->tag[1], is, priority[1]);
	frame->tag[1].protocol = last;
	return 0;
}

/* Does the frame leave in another VLAN than it came in by? */
INLINE bool vlan_changes(const struct decision *d, const struct lookup *l)
{
	return vlan_number(&d->packet.vlan) != vlan_number(&l->hop->vlan);
}

/*
 * Before anything else is written. False: there is no room. The packet's
 * pointers are no longer valid; its offsets are.
 */
INLINE bool vlan_set(struct xdp_md *ctx, struct decision *d,
		     const struct lookup *l)
{
	__u32 is = vlan_number(&l->hop->vlan);

	if (vlan_write(ctx, vlan_number(&d->packet.vlan), is))
		return false;
	d->packet.l3_offset = sizeof(struct ethhdr) + vlan_size(is);
	return true;
}
