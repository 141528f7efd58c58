/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * select.h - the rules by which a flow keeps or gets its backend
 *
 * The program looks things up; the rules are here, so that they can be read and
 * tested without a kernel. The laws:
 *
 *  - A flow stays where it is while its backend can be reached. If the backend
 *    gets no new flows, for it drains or its application is down, a SYN of the
 *    flow goes to another one. That moves no flow yet: anybody may have sent
 *    it. The packet that follows this SYN does, known by its sequence number.
 *  - A flow is remembered at its second packet, which goes where the first
 *    went (begun.h). So no flood of single packets pushes out a flow, or keeps
 *    one from being remembered. Where the scheduler is no function of the flow,
 *    a SYN takes a way of the flow table at once, but none that is in use.
 *  - A connection whose SYN went by one generation and whose ACK meets the
 *    next is not torn: where no note is left, for a while an unknown ACK goes
 *    by the generation before, and of a SYN that the two would place
 *    differently the flow table keeps the choice.
 */
#pragma once

#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/age.h"
#include "common/core/begun.h"
#include "common/core/packet.h"
#include "common/core/scheduler.h"
#include "common/core/verifier.h"

/* Where a selection came from, for people (see trace). */
enum selected_by {
	SELECTED_BY_TABLE,    /* by the scheduler, unknown before */
	SELECTED_BY_MEMORY,   /* by the flow table, or the note of its first
				 packet */
	SELECTED_BY_PREVIOUS, /* by the previous generation's table */
	SELECTED_ANEW,	      /* anew: its backend was gone, down or draining */
	SELECTED_BY_QUEUE,    /* it waited for a free thread */
};

/* Does the table alone place the packet, if its slot has never moved? */
INLINE int select_is_simple(const struct packet *packet, __u8 scheduler)
{
	return (packet->flags & (PACKET_SYN | PACKET_RST)) == PACKET_SYN &&
	       scheduler_is_function(scheduler);
}

/* Does a remembered flow stay, if its backend is in `state`? */
INLINE int select_follows(const struct packet *packet, __u8 state)
{
	if (state == BACKEND_ACTIVE)
		return 1;
	return (state == BACKEND_DRAINING || state == BACKEND_REMOVING) &&
	       !(packet->flags & PACKET_SYN);
}

/* Does the packet end its flow, as far as the client is concerned? */
INLINE int select_ends(const struct packet *packet)
{
	return packet->flags & (PACKET_FIN | PACKET_RST);
}

/*
 * What the flow table notes about the flow's end after one more packet. A flow
 * that has ended may begin anew with a SYN that the flow table does not see;
 * what its client sends next shows that it has begun.
 */
INLINE __u32 select_end(const struct packet *packet, __u32 ends)
{
	__u64 end = packet->flags & (PACKET_FIN | PACKET_RST);
	__u64 begin = packet->flags & (PACKET_SYN | PACKET_PUSH);

	return either(is_zero(end), is_zero(begin) * ends, FLOW_ENDS);
}

/* Has an idle flow without an end (UDP) expired? Times in jiffies. */
INLINE int select_expired(const struct packet *packet, __u32 seen, __u32 now,
			  __u64 idle)
{
	return packet->protocol == IPPROTO_UDP && age_low(now, seen) > idle;
}

/* Is a flow with FLOW_BEGINS still only beginning? */
INLINE __u32 select_begins(const struct packet *packet, __u32 begins)
{
	__u64 tells_nothing =
		packet->is_error | (packet->flags & (PACKET_SYN | PACKET_RST));

	return either(is_zero(tells_nothing), 0, begins);
}

/*
 * May the previous generation have placed this flow? A UDP flow has a note of
 * its first packet, so one without a note is new.
 */
INLINE int select_asks_previous(const struct packet *packet)
{
	return packet->protocol == IPPROTO_TCP;
}

/*
 * 0 if the packet may be the first one after its client's SYN. A sum of
 * reasons: the verifier would follow both ways of each comparison.
 */
INLINE __u64 select_cannot_answer(const struct packet *packet)
{
	return (packet->protocol ^ IPPROTO_TCP) | packet->is_error |
	       (packet->flags & (PACKET_SYN | PACKET_LATER));
}

INLINE int select_may_answer(const struct packet *packet)
{
	return !select_cannot_answer(packet);
}

/*
 * The name of the note (begun.h) that the flow's SYN leaves. For the SYN
 * itself, or for a packet for which select_may_answer() is true. `hash`: the
 * flow's.
 */
INLINE __u64 select_syn_name(const struct packet *packet, __u64 hash)
{
	__u32 sequence = bpf_ntohl(packet->sequence);

	return begun_by_syn(hash, sequence + !!(packet->flags & PACKET_SYN));
}

/*
 * The same for a SYN whose payload the server takes, too (RFC 7413); without
 * one, both are alike.
 */
INLINE __u64 select_syn_name_fast(const struct packet *packet, __u64 hash)
{
	return begun_by_syn(hash,
			    bpf_ntohl(packet->sequence) + 1 + packet->payload);
}

/* What to remember about a flow that was selected anew. */
enum keep {
	KEEP_NOTHING,
	KEEP_NOTE, /* a note that it has begun, and where: see begun.h */
	KEEP_WAY, /* an entry of the flow table that any flow may replace, and a
		     note */
	KEEP_FLOW, /* an entry of the flow table */
};

/*
 * `second`: one of its packets has come before. `differs`: a change is recent,
 * and the previous generation would have placed it elsewhere. `lives`: the flow
 * table knows the flow, of a backend that is still there.
 */
INLINE enum keep select_keeps(const struct packet *packet, int second,
			      int differs, int lives)
{
	if (packet->flags & PACKET_RST || packet->is_error)
		return KEEP_NOTHING;
	if (packet->flags & PACKET_SYN)
		return differs && !lives ? KEEP_WAY : KEEP_NOTE;
	return second ? KEEP_FLOW : KEEP_NOTE;
}
