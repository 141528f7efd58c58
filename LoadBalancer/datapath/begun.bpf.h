/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * begun.bpf.h - the notes of first packets: written and found (see
 * common/core/begun.h)
 */
#pragma once

#include "LoadBalancer/datapath/backends.bpf.h"
#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/dry.h"
#include "common/core/begun.h"
#include "common/core/selection.h"
#include "common/core/verifier.h"

/*
 * A note of this `name` (begun.h): a flow's first packet went to the backend of
 * this index.
 */
INLINE void begun_add(__u64 hash, __u64 name, __u32 backend, __u64 now)
{
	__u32 key = begun_number(hash);
	struct begun_bucket *begun = bpf_map_lookup_elem(&begun_flows, &key);

	if (begun)
		EFFECT(begun_write(begun, name, backend, now));
}

/* The same of a SYN with a payload, that the server may take. */
SEPARATE int begun_fast(__u64 hash, __u64 name, __u32 backend, __u64 now)
{
	begun_add(hash, name, backend, now);
	return 0;
}

INLINE void begun_with_syn(const struct decision *d, __u32 backend)
{
	begun_add(d->hash, select_syn_name(&d->packet, d->hash), backend,
		  d->now);
	if (UNLIKELY(d->packet.payload))
		EFFECT(begun_fast(d->hash,
				  select_syn_name_fast(&d->packet, d->hash),
				  backend, d->now));
}

/* Where the first packet went, within `span` jiffies: begun_find(). */
SEPARATE int begun_backend(__u64 hash, __u64 name, __u64 now, __u64 span)
{
	__u32 key = begun_number(hash);
	struct begun_bucket *begun = bpf_map_lookup_elem(&begun_flows, &key);

	return begun ? begun_find(begun, name, now, span) : -1;
}

/* Does begun_backend() know another backend than this one? */
SEPARATE int begun_at_another(__u64 hash, __u64 name, __u64 now, __u64 span,
			      __u32 backend)
{
	int index = begun_backend(hash, name, now, span);

	return index >= 0 && index != (int)(backend % BACKEND_INDEXES);
}

/* Jiffies that a note of TCP holds. */
INLINE __u64 begun_span(const struct generation *generation)
{
	return BEGUN_SECONDS * (__u64)generation->insert_window;
}

/* Where the SYN of the packet went: the backend's index. -1: none is known. */
INLINE int begun_by(const struct decision *d, const struct lookup *l)
{
	return begun_backend(d->hash, select_syn_name(&d->packet, d->hash),
			     d->now, begun_span(l->generation));
}

/*
 * Does the packet follow a SYN of its flow that went to another backend than
 * l->backend?
 */
INLINE bool begun_elsewhere(const struct decision *d, const struct lookup *l)
{
	return select_may_answer(&d->packet) &&
	       begun_at_another(d->hash, select_syn_name(&d->packet, d->hash),
				d->now, begun_span(l->generation),
				l->backend->id);
}

/*
 * Does a flow stay with the backend of this id, which gets no new ones? For a
 * packet that may stay there: select_follows(). `name`: of the packet's SYN, if
 * `cannot` is 0: select_cannot_answer().
 */
SEPARATE int flow_stays(__u32 index, __u32 id, __u64 hash, __u64 name,
			__u64 cannot)
{
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct backend *backend = backend_of(index, id);

	if (!generation || !backend || is_over(index, backend))
		return 0;
	return cannot || !begun_at_another(hash, name, bpf_jiffies64(),
					   begun_span(generation), id);
}

/* Where the first packet of a flow went that the flow table does not know. */
INLINE int begun_plain(const struct decision *d, const struct lookup *l)
{
	return begun_backend(d->hash, d->hash, d->now,
			     d->packet.protocol == IPPROTO_UDP
				     ? l->generation->udp_idle
				     : begun_span(l->generation));
}

/*
 * Where the first packet of the flow went; NULL: none has come, or it is not
 * there any more for the flow. A note of UDP holds as long as a flow does. If
 * its index is another backend's by now, the flow's own is gone. `known`: the
 * flow table knows the flow, so only the note of a SYN counts.
 */
INLINE struct backend *backend_begun(const struct decision *d,
				     const struct lookup *l, bool known)
{
	__u32 notes = selection_notes(&d->packet, known);
	struct backend *backend;
	int index = -1;

	if (notes & NOTE_OF_SYN)
		index = begun_by(d, l);
	if (index < 0 && notes & NOTE_PLAIN)
		index = begun_plain(d, l);
	backend = index < 0 ? NULL : backend_at(d->generation_index, index);
	if (!selection_stays(&d->packet, l->service->id, backend) ||
	    is_over(d->generation_index, backend))
		return NULL;
	return backend;
}
