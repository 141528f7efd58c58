/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selection.h - a flow's backend, from what was looked up
 *
 * An engine looks up, asks here what follows from it, and does what it is told:
 * LoadBalancer/datapath/select.bpf.h for xdp_lbr. What a lookup costs is the
 * engine's concern, so for each that can be spared there is a question, too.
 * Nothing is written here. In this order, the first that answers decides:
 *
 *  1. select_is_simple(): the service's table, if the slot has never moved
 *  2. selection_is_hot(): what the flow table said a moment ago
 *  3. selection_stays(): what the flow table says
 *  4. selection_in_turn(): a scheduler that is no function of the flow
 *  5. selection_new(): the note of a first packet, the table, or that of the
 *     generation before
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/core/select.h"

/* Is it the backend of this id, and still there? */
INLINE bool selection_is(const struct backend *backend, __u32 id)
{
	return backend->id == id && backend->state != BACKEND_ABSENT;
}

/*
 * Does a flow stay with the backend that its memory or its note names? NULL:
 * that is gone. Of another service, it is no longer the flow's. One that is
 * BACKEND_REMOVING, only until its time is over, which the engine knows.
 */
INLINE bool selection_stays(const struct packet *packet, __u32 service,
			    const struct backend *backend)
{
	return backend && backend->service == service &&
	       select_follows(packet, backend->state);
}

/*
 * May a flow have left its backend, which is in this `state`? Only if that
 * gets no new flows. Then look whether the flow has begun anew elsewhere, and
 * whether the time of a backend that is being removed is over.
 */
INLINE bool selection_may_have_moved(__u8 state)
{
	return state != BACKEND_ACTIVE;
}

/* May the hot flows answer? `begins`: as of struct selection. */
INLINE bool selection_may_be_hot(const struct packet *packet, bool begins)
{
	return !begins && !select_ends(packet);
}

/*
 * May the cache of hot flows have a flow with these flags in the flow table?
 * Not if it begins or ends: then the flow table must see each packet.
 */
INLINE bool selection_is_hot(__u32 entry)
{
	return !(entry & (FLOW_BEGINS | FLOW_ENDS));
}

/* What the flow table says from now on of a flow that stays: `backend`. */
INLINE __u32 selection_entry(const struct packet *packet, __u32 entry, __u32 id)
{
	return id | (entry & FLOW_UDP) |
	       select_begins(packet, entry & FLOW_BEGINS) |
	       select_end(packet, entry & FLOW_ENDS);
}

/* Which notes say where the flow's first packet went? */
enum notes {
	NOTE_OF_SYN = 1, /* select_syn_name() */
	NOTE_PLAIN = 2,	 /* the flow's hash; if there is none of a SYN */
};

/* `known`: as of struct selecting. */
INLINE __u32 selection_notes(const struct packet *packet, bool known)
{
	bool is_syn = packet->flags & PACKET_SYN;
	__u32 notes = 0;

	if (select_may_answer(packet) || (is_syn && known))
		notes |= NOTE_OF_SYN;
	if (!is_syn && !known)
		notes |= NOTE_PLAIN;
	return notes;
}

/* Does the generation before have a say? Times in jiffies. */
INLINE bool selection_is_in_grace(const struct packet *packet, __u64 now,
				  __u64 grace_until)
{
	return now < grace_until && select_asks_previous(packet);
}

/*
 * ... and its service? Another one than today's has nothing to say but that it
 * would have placed a SYN elsewhere. Ids of services.
 */
INLINE bool selection_hears(const struct packet *packet, __u32 before,
			    __u32 today)
{
	return packet->flags & PACKET_SYN || before == today;
}

/* May a flow be with the backend that the generation before says? As above. */
INLINE bool selection_was_there(const struct backend *backend)
{
	return backend && backend->state != BACKEND_DOWN;
}

/* Does the scheduler choose for a SYN that no note is known of? */
INLINE bool selection_in_turn(const struct packet *packet, __u8 scheduler)
{
	return (packet->flags & (PACKET_SYN | PACKET_RST)) == PACKET_SYN &&
	       !scheduler_is_function(scheduler);
}

/*
 * What was looked up for a flow that the flow table does not know or, `known`,
 * knows of a backend that it does not stay with. NULL: nothing.
 */
struct selecting {
	const struct backend *begun;  /* by a note: selection_stays() there */
	const struct backend *table;  /* if not begun: by the service's table */
	const struct backend *before; /* if not begun: selection_was_there() */
	const struct backend *owner;  /* if neither begun nor known: by the file
				       */
	bool forgets;		      /* struct service.forgets */
	bool known;
	bool lives; /* known, and that backend is still there */
};

struct selection {
	const struct backend *backend; /* NULL: there is none */
	enum keep keep;
	__u8 selected_by; /* enum selected_by */
	bool begins;	  /* the first packet of a flow */
};

INLINE struct selection selection_new(const struct packet *packet,
				      const struct selecting *from)
{
	bool is_syn = packet->flags & PACKET_SYN, by_before, differs;
	struct selection to = {.backend = from->begun ?: from->table};

	by_before = from->before && !is_syn && from->before != to.backend;
	if (by_before)
		to.backend = from->before;
	/* What no note is known of may be the owner's from before. */
	if (from->owner && !is_syn &&
	    select_follows(packet, from->owner->state))
		to.backend = from->owner;
	/* A deputy gets new flows. Without one, the table has the owner. */
	if (from->forgets && is_syn && to.backend &&
	    to.backend->state != BACKEND_ACTIVE)
		to.backend = NULL;
	differs = (from->before && from->before != to.backend) ||
		  (from->owner && from->owner != to.backend);
	if (to.backend)
		to.keep = select_keeps(packet, from->begun || from->known,
				       differs, from->lives);
	to.selected_by = by_before     ? SELECTED_BY_PREVIOUS
			 : from->known ? SELECTED_ANEW
			 : from->begun ? SELECTED_BY_MEMORY
				       : SELECTED_BY_TABLE;
	/* One that is not remembered would begin with each of its packets. */
	to.begins = packet->protocol == IPPROTO_UDP
			    ? !from->begun && !packet->is_error
			    : is_syn;
	return to;
}

/*
 * Is what the flow table knows to be deleted? `known`, `lives`: as above.
 * `held`: it holds the selection.
 * A flow whose backend is still there keeps its memory until its client has
 * proven that it goes on elsewhere.
 */
INLINE bool selection_forgets(bool known, bool lives, bool held)
{
	return known && !lives && !held;
}
