/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pass_on.bpf.h - to whom a packet without a socket here is passed on, and how
 *
 * The packet goes back to the router that it came from, which knows the way to
 * every backend; the FIB of a server that forwards nothing does not. By a
 * method that is not routed (l2) there is no such router: the tool has written
 * where the peers are. Nothing but TTL and MAC addresses changes then.
 *
 * Fragments go where the first one of their packet went, which has the ports
 * and is looked up; its entry in `fragments` says so.
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/exit.h"
#include "common/bpf/parse.h"
#include "common/core/packet_parse.h"
#include "common/core/rewrite.h"
#include "common/core/verifier.h"

#define MOST_PASSES  3
#define TTL_PER_PASS 16

INLINE __u32 passes_left(__u8 ttl)
{
	__u32 passes = ttl ? (ttl - 1) / TTL_PER_PASS : 0;

	return passes < MOST_PASSES ? passes : MOST_PASSES;
}

/* The entry that parse_fragment() made for the first one of the packet. */
INLINE struct fragment *fragment_entry(void)
{
	const struct packet *packet = handed_packet();
	struct fragment_key key = {};

	if (!packet)
		return NULL;
	fragment_key(&key, packet);
	return bpf_map_lookup_elem(&fragments, &key);
}

/* For the later fragment in `parsed`. */
SEPARATE int first_was_passed_on(void)
{
	const struct fragment *entry = fragment_entry();

	return entry && entry->passed_on;
}

/* For the first fragment in `parsed`: the others follow it. */
SEPARATE int fragment_pass_on(void)
{
	struct fragment *entry = fragment_entry();

	if (entry)
		entry->passed_on = 1;
	return 0;
}

/*
 * The candidate after this host, in a circle. If this host is none of them, the
 * load balancer chose it because the first one is down: the second one is next.
 */
INLINE __u32 next_peer(const struct chance *chance)
{
	__u32 next = chance->list.at[1], i;

	for (i = 0; i < MOST_CANDIDATES - 1; i++) {
		if (chance->list.at[i] == chance->self)
			next = chance->list.at[i + 1];
	}
	if (chance->list.at[i] == chance->self)
		next = NO_CANDIDATE;
	return next == NO_CANDIDATE ? chance->list.at[0] : next;
}

INLINE bool may_pass_on(const struct generation *generation)
{
	__u32 zero = 0;
	struct budget *done = bpf_map_lookup_elem(&passed_on, &zero);
	__u64 window;

	if (!done || !generation->insert_window)
		return false;
	window = bpf_jiffies64() / generation->insert_window;
	if (done->window != window) {
		done->window = window;
		done->count = 0;
	}
	return done->count++ < generation->second_chance_limit;
}

/* Is the next one on the packet's segment, with a MAC address? */
INLINE bool find_link(struct chance *chance)
{
	const struct peer_link *link =
		bpf_map_lookup_elem(&peer_links, &chance->next);

	if (!link || link->device != chance->device)
		return false;
	mac_copy(chance->mac, link->mac);
	return true;
}

/* For the packet in `chances`: where it goes, if nothing forbids it. */
SEPARATE int find_next_peer(void)
{
	__u32 zero = 0, key;
	struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	const struct generation *generation;
	const struct addr *next;
	void *map;

	if (!chance)
		return REASON_NONE;
	if (!chance->passes)
		return REASON_second_chance_spent;
	generation = bpf_map_lookup_elem(&generations, &chance->generation);
	map = bpf_map_lookup_elem(&peers, &chance->generation);
	if (!generation || !map)
		return REASON_NONE;
	key = next_peer(chance);
	next = bpf_map_lookup_elem(map, &key);
	if (!next)
		return REASON_NONE;
	/* Even if it is dropped below: the others are of no use here. */
	if (chance->fragment & PACKET_FIRST)
		fragment_pass_on();
	chance->next = *next;
	if (chance->device && !find_link(chance))
		return REASON_second_chance_neighbour;
	if (!may_pass_on(generation))
		return REASON_second_chance_rate;
	return REASON_second_chance;
}

/*
 * Did GRO merge it of several segments? In generic mode such a packet comes
 * whole, and what XDP sends is not split again: the card would drop it,
 * uncounted.
 */
INLINE bool is_merged(const struct chance *chance, const struct packet *packet)
{
	__u32 length;

	if (!chance->most)
		return false;
	if (packet->is_ipv6)
		length = bpf_ntohs(packet->ipv6->payload_len) +
			 sizeof(struct ipv6hdr);
	else
		length = bpf_ntohs(packet->ipv4->tot_len);
	return length > chance->most;
}

/* To the candidate that find_next_peer() found. Verified on its own. */
SEPARATE int pass_on(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 zero = 0;
	const struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	struct packet packet = {.protocol = IPPROTO_TCP};
	__u8 to[ETH_ALEN];

	if (!chance)
		return REASON_malformed;
	packet.l3_offset = chance->l3_offset;
	packet.l4_offset = chance->l4_offset;
	packet.is_ipv6 = chance->own_is_ipv6;
	packet.is_error = chance->is_error;
	packet.flags = chance->fragment;
	if (packet_locate(&packet, data, end))
		return REASON_malformed;
	if (is_merged(chance, &packet))
		return REASON_second_chance_merged;
	if (chance->device) {
		mac_copy(to, chance->mac);
	} else {
		if (chance->checksum == CHECKSUM_UPDATE)
			rewrite_checksum(&packet, &chance->own, &chance->next);
		rewrite_destination(&packet, &chance->next);
		mac_copy(to, packet.eth->h_source);
	}
	rewrite_ttl(&packet, (__u8)(chance->passes * TTL_PER_PASS));
	mac_copy(packet.eth->h_source, packet.eth->h_dest);
	mac_copy(packet.eth->h_dest, to);
	return REASON_second_chance;
}
