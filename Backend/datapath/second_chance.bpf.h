/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * second_chance.bpf.h - pass a flow on to the backend that has its socket
 *
 * While backends of a service are in transition, a flow may be at any of its
 * slot's candidates (common/tables/candidates.h), and the load balancer need
 * not know at which. A backend whose kernel has no socket for a TCP packet
 * passes it on to the next candidate, and does not let the kernel answer with
 * RST. At the last one, the kernel decides.
 *
 * Hosts may have different files, so each may take another one for the next.
 * What ends a loop is in the packet: TTL (hop limit) n * 16 + 1 to n * 16 + 16
 * on arrival says that n passes are left, at most 3. A router can only lower
 * it.
 */
#pragma once

#include "Backend/datapath/listener.bpf.h"
#include "Backend/datapath/maps.bpf.h"
#include "Backend/datapath/pass_on.bpf.h"
#include "common/core/candidates.h"
#include "common/core/schedule.h"
#include "common/core/verifier.h"

/* A SYN begins its flow here. ICMP errors go where the flow's packets go. */
INLINE bool looks_for_socket(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP && !(packet->flags & PACKET_SYN);
}

/*
 * Notes the list of the packet's slot, and where that of its slot in the table
 * before is. False: nobody else can have the flow.
 */
INLINE bool take_list(struct chance *chance, const struct restore *restore,
		      const struct packet *packet)
{
	struct scheduling from = {.source = &packet->source};
	const struct candidates *list;
	__u32 key;
	void *map;

	map = bpf_map_lookup_elem(&lists, &chance->generation);
	if (!map)
		return false;
	from.hash = hash_ends(&packet->source, packet->source_port,
			      &restore->vip, packet->port, packet->protocol);
	key = restore->lists_first + scheduler_table_slot(restore->scheduler,
							  &from,
							  restore->table_size);
	list = bpf_map_lookup_elem(map, &key);
	if (!list)
		return false;
	chance->list = *list;
	chance->former = 0;
	if (restore->was_size)
		chance->former = restore->lists_first + restore->table_size +
				 scheduler_table_slot(restore->was_scheduler,
						      &from, restore->was_size);
	return chance->former || chance->list.at[1] != NO_CANDIDATE;
}

/* Notes the flow's ends, and its headers with the VIP in them. */
INLINE bool chance_begin(struct chance *chance, const struct restore *restore,
			 const struct packet *packet)
{
	__u64 at = packet->l4_offset;
	const struct tcphdr *tcp;

	/* Linux 5.10 remembers no bounds on the stack, where they were. */
	KEEP_SUM(at);
	if (at > L4_MOST)
		return false;
	tcp = packet->l3 + at;
	if ((void *)(tcp + 1) > packet->end)
		return false;
	/* Of an error, the beginning of what it quotes: nobody looks at it. */
	chance->tcp = *tcp;
	chance->is_ipv6 = packet->is_ipv6;
	if (packet->is_ipv6) {
		chance->ipv6 = *packet->ipv6;
		__builtin_memcpy(&chance->ipv6.daddr, &restore->vip,
				 sizeof(restore->vip));
		__builtin_memcpy(chance->ends.ipv6.saddr, &packet->source,
				 sizeof(packet->source));
		__builtin_memcpy(chance->ends.ipv6.daddr, &restore->vip,
				 sizeof(restore->vip));
		chance->ends.ipv6.sport = packet->source_port;
		chance->ends.ipv6.dport = packet->port;
	} else {
		chance->ipv4 = *packet->ipv4;
		chance->ipv4.daddr = restore->vip.w[3];
		chance->ends.ipv4.saddr = packet->source.w[3];
		chance->ends.ipv4.daddr = restore->vip.w[3];
		chance->ends.ipv4.sport = packet->source_port;
		chance->ends.ipv4.dport = packet->port;
	}
	return true;
}

INLINE __u32 candidates_count(const struct candidates *list)
{
	__u32 count = 0, i;

	for (i = 0; i < MOST_CANDIDATES; i++)
		count += list->at[i] != NO_CANDIDATE;
	return count;
}

/* Is it the ACK for a SYN cookie of this listener? */
INLINE bool has_cookie(struct bpf_sock *socket, struct chance *chance)
{
	if (chance->is_ipv6)
		return !bpf_tcp_check_syncookie(
			socket, &chance->ipv6, sizeof(chance->ipv6),
			&chance->tcp, sizeof(chance->tcp));
	return !bpf_tcp_check_syncookie(socket, &chance->ipv4,
					sizeof(chance->ipv4), &chance->tcp,
					sizeof(chance->tcp));
}

/*
 * In TIME_WAIT, a flow that has ended may have left its ports to a new one,
 * which is elsewhere. So it counts only where the packet could not come back.
 */
INLINE bool is_its_socket(struct bpf_sock *socket, struct chance *chance)
{
	__u32 state = socket->state;

	if (state == STATE_LISTEN)
		return !chance->is_error && has_cookie(socket, chance);
	return state != STATE_TIME_WAIT ||
	       chance->passes < candidates_count(&chance->list);
}

/* Adds the candidates of the slot in the table before to those in `chances`. */
SEPARATE int join_former(void)
{
	__u32 zero = 0, key;
	struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	const struct candidates *former;
	void *map;

	if (!chance)
		return 0;
	map = bpf_map_lookup_elem(&lists, &chance->generation);
	if (!map)
		return 0;
	key = chance->former;
	former = bpf_map_lookup_elem(map, &key);
	if (former)
		candidates_join(&chance->list, former);
	return 0;
}

/*
 * Has this host's kernel a socket for the packet in `chances`, or can nobody
 * else have one?
 */
SEPARATE int socket_is_here(struct xdp_md *ctx)
{
	__u32 zero = 0;
	struct chance *chance = bpf_map_lookup_elem(&chances, &zero);
	struct bpf_sock *socket;
	bool found;

	if (!chance)
		return true;
	if (chance->former) {
		join_former();
		if (chance->list.at[1] == NO_CANDIDATE)
			return true;
	}
	if (chance->fragment & PACKET_LATER)
		return !first_was_passed_on();
	if (chance->is_ipv6)
		socket = bpf_skc_lookup_tcp(ctx, &chance->ends,
					    sizeof(chance->ends.ipv6),
					    BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_skc_lookup_tcp(ctx, &chance->ends,
					    sizeof(chance->ends.ipv4),
					    BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	found = is_its_socket(socket, chance);
	bpf_sk_release(socket);
	return found;
}

/*
 * May another backend have the packet's flow? Then all that is known of it is
 * in `chances`. `ttl`: that of the header with the backend's address.
 */
INLINE bool has_chance(const struct restore *restore,
		       const struct packet *packet, __u8 ttl)
{
	__u32 zero = 0;
	struct chance *chance;

	if (!restore->table_size || !looks_for_socket(packet))
		return false;
	chance = bpf_map_lookup_elem(&chances, &zero);
	if (!chance)
		return false;
	/* Not the one that runs by now: its numbers may be others. */
	chance->generation = restore->generation;
	if (!take_list(chance, restore, packet))
		return false;
	chance->is_error = packet->is_error;
	chance->fragment = packet->flags & (PACKET_FIRST | PACKET_LATER);
	if (!(packet->flags & PACKET_LATER) &&
	    !chance_begin(chance, restore, packet))
		return false;
	chance->self = restore->self;
	chance->passes = passes_left(ttl);
	return true;
}

/*
 * Looks for the socket of the packet in `chances`, and passes it on.
 * REASON_NONE, REASON_second_chance_spent: the packet is for this host's
 * server, and nothing has been written into it yet.
 */
INLINE enum reason ask_and_pass_on(struct xdp_md *ctx)
{
	enum reason reason;

	if (socket_is_here(ctx))
		return REASON_NONE;
	reason = find_next_peer();
	return reason == REASON_second_chance ? pass_on(ctx) : reason;
}

/* Is it, by that answer, for another host, or dropped? */
INLINE bool has_gone(enum reason reason)
{
	return reason != REASON_NONE && reason != REASON_second_chance_spent;
}

/*
 * has_chance() for a packet with this host's address, or to a VIP. `device`,
 * `most`: as in struct interface.
 */
INLINE bool may_be_elsewhere(const struct decision *d, __u32 device, __u16 most)
{
	__u32 zero = 0;
	struct chance *chance;

	if (!has_chance(d->restore, &d->packet, d->packet.ttl))
		return false;
	chance = bpf_map_lookup_elem(&chances, &zero);
	if (!chance)
		return false;
	chance->own = d->packet.destination;
	chance->l3_offset = d->packet.l3_offset;
	chance->l4_offset = d->packet.l4_offset;
	chance->own_is_ipv6 = d->packet.is_ipv6;
	chance->most = most;
	chance->checksum = d->restore->method.checksum;
	chance->device = method_is_routed(&d->restore->method) ? 0 : device;
	return true;
}
