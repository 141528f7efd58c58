/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - packet_parse() for a BPF program, with its `constants`
 *
 * Plain packets are parsed in the program itself; the others in a function
 * that the kernel verifies on its own, and that leaves its result in a map. So
 * all its shapes are one to what follows.
 */
#pragma once

#include "common/bpf/context.h"
#include "common/bpf/dry.h"
#include "common/bpf/hand.h"
#include "common/bpf/maps.h"
#include "common/bpf/vlan.h"
#include "common/core/age.h"
#include "common/core/packet.h"
#include "common/core/packet_parse.h"
#include "common/core/quote.h"
#include "common/core/verifier.h"

/*
 * The ethertype behind all tags, or -1: the frame ends before. A function of
 * its own, so that with any number of tags what follows is verified once.
 */
SEPARATE int parse_link(CONTEXT *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet packet, *found = handed_packet();
	__be16 ethertype;
	enum reason reason = packet_parse_link(&packet, data, end, &ethertype);

	if (!found)
		return -1;
	*found = packet;
	return reason == REASON_NONE ? (FORCE __u16)ethertype : -1;
}

/*
 * Is this an IP packet of a VLAN that has no device here? Most of what a trunk
 * carries can be. Asked first, for what does not start with an IP header.
 */
SEPARATE int vlan_is_foreign(CONTEXT *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet packet;
	__be16 ethertype;

	return packet_parse_link(&packet, data, end, &ethertype) ==
		       REASON_NONE &&
	       packet_is_ip(&packet, end, ethertype) &&
	       !vlan_find(ctx->ingress_ifindex, vlan_number(&packet.vlan));
}

/* packet_is_big() for the packet in `parsed`, of which little is known. */
SEPARATE int parse_big(CONTEXT *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet *found = handed_packet();
	__u64 frame = frame_length(ctx);

	if (!found || found->l3_offset > L3_MOST)
		return REASON_malformed;
	return packet_is_big(found, data + found->l3_offset, end, frame)
		       ? REASON_NONE
		       : REASON_malformed;
}

/* The IP headers behind it. One after the other: the stack is full with one. */
SEPARATE int parse_ip(CONTEXT *ctx, int ethertype)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet packet, *found = handed_packet();
	int reason;

	if (!found || ethertype < 0 || found->l3_offset > L3_MOST)
		return REASON_malformed;
	packet = *found;
	packet.eth = data;
	packet.end = end;
	packet.l3 = data + packet.l3_offset;
	reason = packet_parse_ip(&packet, end, (FORCE __be16)ethertype);
	*found = packet;
	return reason == REASON_malformed ? parse_big(ctx) : reason;
}

/* What is above them. */
SEPARATE int parse_above(CONTEXT *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct packet packet, *found = handed_packet();
	int reason;

	if (!found || found->l3_offset > L3_MOST || found->l4_offset > L4_MOST)
		return REASON_malformed;
	packet = *found;
	packet.l3 = data + packet.l3_offset;
	reason = packet_parse_above(&packet, end);
	*found = packet;
	return reason;
}

/* packet_quote() for the packet in `parsed`. */
SEPARATE int parse_quote(CONTEXT *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 at;
	struct packet *found = handed_packet();

	if (!found)
		return 0;
	at = found->l3_offset + found->l4_offset;
	if (at > L3_MOST + L4_MOST)
		return 0;
	packet_quote(found, data + at, end);
	return 0;
}

/* By then the source of the packet in `parsed` is the client's. */
SEPARATE int parse_client(void)
{
	struct packet *packet = handed_packet();

	if (packet)
		packet->is_martian = packet_has_martian_source(packet);
	return 0;
}

/*
 * Is the first fragment in `parsed` to be remembered? The including program
 * answers. The frame is as it came. Fragments for other hosts, which a bridge
 * floods, would push out the fragments for this host.
 */
SEPARATE int fragment_is_wanted(CONTEXT *ctx);

INLINE void fragment_key(struct fragment_key *key, const struct packet *packet)
{
	key->source = packet->source;
	key->destination = packet->destination;
	key->id = packet->fragment_id;
	key->protocol = packet->is_ipv6 ? 0 : packet->protocol;
}

/*
 * For the fragment in `parsed`: the first one's ports are remembered, another
 * is given them. So it is looked up, selected, routed and counted as the first
 * was. Where that one has not come, or too long ago, nothing is known of it but
 * its ends. One of UDP, which a service may take even so, goes on as unknown;
 * of others it is REASON_fragment.
 */
SEPARATE int parse_fragment(CONTEXT *ctx)
{
	struct packet *packet = handed_packet();
	struct fragment_key key = {};
	struct fragment value = {}, *first;

	if (!packet)
		return REASON_malformed;
	fragment_key(&key, packet);
	value.seen = bpf_jiffies64();
	if (packet->flags & PACKET_FIRST) {
		value.source_port = packet->source_port;
		value.port = packet->port;
		value.protocol = packet->protocol;
		if (fragment_is_wanted(ctx))
			EFFECT(bpf_map_update_elem(&fragments, &key, &value,
						   BPF_ANY));
		return REASON_NONE;
	}
	first = bpf_map_lookup_elem(&fragments, &key);
	if (!first || age(value.seen, first->seen) > constants.fragment_age) {
		if (packet->protocol != IPPROTO_UDP)
			return REASON_fragment;
		packet_set_unknown(packet);
		return REASON_NONE;
	}
	packet->source_port = first->source_port;
	packet->port = first->port;
	packet->protocol = first->protocol;
	return REASON_NONE;
}

/* What is behind the IP headers that were left in `parsed`, with `reason`. */
INLINE enum reason parse_further(CONTEXT *ctx, const struct packet *found,
				 enum reason reason)
{
	if (reason == REASON_NONE)
		reason = parse_above(ctx);
	if (reason == REASON_NONE && found->flags & PACKET_QUOTES) {
		parse_quote(ctx);
		parse_client();
	}
	if (reason == REASON_NONE &&
	    found->flags & (PACKET_FIRST | PACKET_LATER))
		reason = parse_fragment(ctx);
	return reason;
}

/* The packet out of `parsed`, left there with `reason`, in [data, end). */
INLINE enum reason parsed_packet(struct packet *packet,
				 const struct packet *found, enum reason reason,
				 void *data, void *end)
{
	*packet = *found;
	if (!packet->has_destination) {
		TELL(packet->has_destination, 0);
		return reason;
	}
	if (packet_locate(packet, data, end)) {
		TELL(packet->has_destination, 0);
		return REASON_malformed;
	}
	TELL(packet->has_destination, 1);
	return reason;
}

INLINE enum reason parse(CONTEXT *ctx, struct packet *packet)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	enum reason reason = packet_parse_plain(packet, data, end);
	struct packet *found;

	if (reason != REASON_UNUSUAL)
		return reason;
	if (packet_is_tagged(packet) && vlan_is_foreign(ctx)) {
		TELL(packet->has_destination, 0);
		return REASON_vlan_tagged;
	}
	reason = parse_ip(ctx, parse_link(ctx));
	data = READ_ANEW(ctx->data);
	end = READ_ANEW(ctx->data_end);
	found = handed_packet();
	if (!found) {
		TELL(packet->has_destination, 0);
		return REASON_malformed;
	}
	reason = parse_further(ctx, found, reason);
	return parsed_packet(packet, found, reason, data, end);
}
