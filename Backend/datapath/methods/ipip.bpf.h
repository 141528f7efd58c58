/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipip.bpf.h - the method `ipip`, at the backend (common/core/tunnel.h)
 *
 * The outer header is taken off here, without a tunnel device. Anybody can put
 * a packet inside, so it is accepted only from `lb-sources`, and only for a
 * listed service.
 */
#pragma once

#include "Backend/datapath/listener.bpf.h"
#include "Backend/datapath/restore.bpf.h"
#include "Backend/datapath/second_chance.bpf.h"
#include "Backend/datapath/trace.bpf.h"
#include "common/bpf/hand.h"
#include "common/bpf/parse.h"
#include "common/core/tunnel.h"
#include "common/core/verifier.h"

INLINE bool ipip_is_from_lb(const struct prefix *source)
{
	__u32 index = generation_index();
	void *map = bpf_map_lookup_elem(&sources, &index);

	return map && bpf_map_lookup_elem(map, source);
}

/*
 * Moves a link's header of MAC addresses and `words` for its tags, of 16 bits
 * each: from its end on, because it may overlap the place that it moves to.
 */
INLINE void ipip_move(__be16 *to, const __be16 *from, __be16 protocol,
		      const __u32 words)
{
	__u32 i;

	to[ETH_ALEN + words] = protocol;
	for (i = ETH_ALEN + words; i > 0; i--)
		to[i - 1] = from[i - 1];
}

/*
 * The header, with its tags, goes to the new beginning of the frame. One way
 * for each number of tags: the verifier would follow each word in a loop.
 */
INLINE enum reason ipip_take_off(struct xdp_md *ctx, struct packet *packet,
				 __u32 size)
{
	__be16 protocol =
		packet->is_ipv6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	__u32 shift = packet->l3_offset - size;
	__be16 *from = (void *)packet->eth, *to;

	if (shift > L3_MOST)
		return REASON_malformed;
	to = (void *)from + shift;
	KEEP_TEST(to);
	if ((void *)to + L2_MOST > packet->end ||
	    (void *)from + L2_MOST > packet->end)
		return REASON_malformed;
	if (size == sizeof(struct ethhdr))
		ipip_move(to, from, protocol, 0);
	else if (size == sizeof(struct ethhdr) + sizeof(struct tag))
		ipip_move(to, from, protocol, 2);
	else
		ipip_move(to, from, protocol, 4);
	return bpf_xdp_adjust_head(ctx, (int)shift) ? REASON_malformed
						    : REASON_decapsulated;
}

/* tunnel_begin() for the packet in `parsed`; parse_ip() is next. */
SEPARATE int begin_inner(void)
{
	struct packet *packet = handed_packet();

	return packet ? tunnel_begin(packet) : -1;
}

/* Wants the row for the inner packet in `parsed`. */
SEPARATE int ipip_want_row(void)
{
	__u32 zero = 0;
	struct restore_key *key = bpf_map_lookup_elem(&wanted, &zero);
	const struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	const struct packet *packet = handed_packet();

	if (!outside || !packet || !key)
		return 0;
	*key = (struct restore_key){.address = outside->destination,
				    .inner = packet->destination,
				    .port = packet->port,
				    .protocol = packet->protocol};
	return 0;
}

/*
 * For the inner packet, as parsed with `reason`. `row`: its row's index. A
 * function of its own, which the kernel verifies separately. REASON_NONE:
 * another backend may have its flow; nothing is done yet.
 */
SEPARATE int ipip_inside(struct xdp_md *ctx, int reason, int generation,
			 int row)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	struct packet *found = handed_packet();
	const struct restores *rows = restores_at(generation);
	const struct restore *restore;
	struct packet packet;
	int ecn;

	if (!outside || !found || !rows || data + sizeof(struct ethhdr) > end)
		return REASON_malformed;
	reason = parsed_packet(&packet, found, reason, data, end);
	if (!packet.has_destination)
		return REASON_not_listed;
	if (reason == REASON_NONE && is_cut_short(ctx, &packet))
		reason = REASON_malformed;
	/* Whatever it is, it is not ours. */
	if (reason == REASON_malformed)
		return REASON_not_listed;
	if (reason != REASON_NONE)
		return refuse(reason);
	restore = row_at(rows, row);
	reason = listed(restore, &packet);
	if (reason != REASON_NONE)
		return reason;
	if (!ipip_is_from_lb(&outside->source))
		return REASON_foreign_source;
	ecn = tunnel_ecn(packet_tos(&packet), outside->tos);
	if (ecn < 0)
		return REASON_congestion_lost;
	trace_vip(&packet.destination);
	if (restore && !outside->is_asked &&
	    has_chance(restore, &packet, (__u8)outside->ttl))
		return REASON_NONE;
	tos_set(&packet, (packet_tos(&packet) & ~ECN_BITS) | ecn);
	reason = ipip_take_off(ctx, &packet, outside->l3_offset);
	/* It is there, but the verifier does not know. */
	return restore ? counted(restore, reason) : reason;
}

/*
 * For the packet in `chances`, `parsed` as ipip_inside() takes it: the whole
 * packet is passed on, or the one inside is taken out.
 */
INLINE enum reason ipip_ask(struct xdp_md *ctx, struct outside *outside,
			    enum reason parsed, int generation, int row)
{
	__u32 zero = 0;
	struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	enum reason reason, taken;

	if (!chance)
		return REASON_malformed;
	chance->l3_offset = outside->l3_offset;
	chance->l4_offset = 0;
	chance->own_is_ipv6 = outside->is_ipv6;
	chance->checksum = CHECKSUM_KEEP;
	chance->device = 0;
	reason = ask_and_pass_on(ctx);
	if (has_gone(reason))
		return reason;
	outside->is_asked = 1;
	taken = ipip_inside(ctx, parsed, generation, row);
	return taken == REASON_decapsulated && reason != REASON_NONE ? reason
								     : taken;
}

INLINE bool ipip_is(const struct packet *packet)
{
	return tunnel_is(packet);
}

/* Notes the header around, of the packet in `parsed`. */
SEPARATE int ipip_outside(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	struct packet *found = handed_packet();
	struct packet packet;

	if (!outside || !found || !take_packet(&packet, found, data, end))
		return REASON_malformed;
	/*
	 * The later fragments of the inner packet come in other outer packets.
	 */
	if (packet.flags & (PACKET_FIRST | PACKET_LATER))
		return REASON_fragment_passed;
	outside->source.bits = 128;
	outside->source.address = packet.source;
	outside->destination = packet.destination;
	outside->l3_offset = packet.l3_offset;
	outside->tos = packet_tos(&packet);
	outside->ttl = packet.ttl;
	outside->is_ipv6 = packet.is_ipv6;
	outside->is_asked = 0;
	return REASON_NONE;
}

INLINE enum reason ipip_take_out(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct packet *found = handed_packet();
	struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	enum reason reason, parsed;
	int generation, row;

	if (!found || !outside)
		return REASON_malformed;
	reason = ipip_outside(ctx);
	if (reason != REASON_NONE)
		return reason;
	parsed = parse_ip(ctx, begin_inner());
	parsed = parse_further(ctx, found, parsed);
	generation = generation_index();
	ipip_want_row();
	row = row_with(generation, 0);
	reason = ipip_inside(ctx, parsed, generation, row);
	if (reason == REASON_NONE)
		reason = ipip_ask(ctx, outside, parsed, generation, row);
	if (reason == REASON_decapsulated)
		listener_note(ctx, generation, row);
	return reason;
}

/*
 * Notes the outer header, without options, tags or fragments, of a frame for
 * this host. Returns where the inner packet begins, in bytes from it, and in
 * bit 16 whether that is IPv6; 0: it is another frame.
 */
#define INNER_IPV6 0x10000
SEPARATE int ipip_outside_plain(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	struct packet packet = {.l3 = data + sizeof(struct ethhdr)};
	const struct ethhdr *eth = data;
	enum reason reason;

	if (!outside || packet.l3 > end)
		return 0;
	if (eth->h_proto == bpf_htons(ETH_P_IP))
		reason = parse_ipv4_header(&packet, end);
	else if (eth->h_proto == bpf_htons(ETH_P_IPV6))
		reason = parse_ipv6(&packet, end);
	else
		return 0;
	if (reason != REASON_NONE || !tunnel_is(&packet) ||
	    packet.l4_offset > sizeof(struct ipv6hdr) ||
	    (!packet.is_ipv6 && packet.l4_offset > sizeof(struct iphdr)) ||
	    sizeof(*eth) + packet.length > (__u64)(end - data))
		return 0;
	outside->source.bits = 128;
	outside->source.address = packet.source;
	outside->destination = packet.destination;
	outside->tos = packet_tos(&packet);
	if (!find_interface(ctx->ingress_ifindex, eth))
		return 0;
	return (int)packet.l4_offset |
	       (packet.protocol == IPPROTO_IPV6 ? INNER_IPV6 : 0);
}

/*
 * For the plain packet that begins at `inner`, behind the outer header in
 * `outsides`: as ipip_take_out().
 */
SEPARATE int ipip_inside_plain(struct xdp_md *ctx, int inner)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	const struct outside *outside = bpf_map_lookup_elem(&outsides, &zero);
	const struct restores *rows = restores_at(generation_index());
	struct packet packet = {.eth = data, .end = end};
	__u64 at = sizeof(struct ethhdr) + (inner & 0xff);
	const struct restore *restore;
	struct restore_key key = {};
	enum reason reason;
	int ecn;

	KEEP_SUM(at);
	if (!outside || !rows || at > L3_MOST ||
	    data + sizeof(struct ethhdr) > end)
		return REASON_UNUSUAL;
	packet.l3_offset = at;
	packet.l3 = data + at;
	if (parse_plain(&packet, end,
			inner & INNER_IPV6
				? bpf_htons(ETH_P_IPV6)
				: bpf_htons(ETH_P_IP)) != REASON_NONE ||
	    at + packet.length > (__u64)(end - data))
		return REASON_UNUSUAL;
	key.address = outside->destination;
	key.inner = packet.destination;
	key.port = packet.port;
	/* So that what follows is verified once for all of these. */
	packet.protocol = forget(packet.protocol);
	packet.flags = forget(packet.flags);
	key.protocol = packet.protocol;
	restore = look_once(rows, &key);
	if (restore == RESTORE_UNSURE ||
	    (restore && restore->table_size && looks_for_socket(&packet)) ||
	    (restore && wants_listener(restore, &packet)))
		return REASON_UNUSUAL;
	reason = listed(restore, &packet);
	if (reason != REASON_NONE)
		return reason;
	if (!ipip_is_from_lb(&outside->source))
		return REASON_foreign_source;
	ecn = tunnel_ecn(packet_tos(&packet), outside->tos);
	if (ecn < 0)
		return REASON_congestion_lost;
	tos_set(&packet, (packet_tos(&packet) & ~ECN_BITS) | ecn);
	return counted(restore,
		       ipip_take_off(ctx, &packet, sizeof(struct ethhdr)));
}

/*
 * Nearly all packets: a plain one whose flow nobody else can have, in one
 * without options, tags or fragments.
 */
INLINE enum reason ipip_take_out_plain(struct xdp_md *ctx)
{
	int inner = ipip_outside_plain(ctx);

	return inner ? ipip_inside_plain(ctx, inner) : REASON_UNUSUAL;
}
