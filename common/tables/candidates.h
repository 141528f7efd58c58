/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * candidates.h - which backends may have the flows of a slot
 *
 * While the pool of a service changes, a backend in transition has two weights:
 * `before` and `after`; 0 means that it has no slots. A flow may have begun
 * when any of the changes was already made, or not yet, on this load balancer
 * or on another one. So the candidates of a slot are its distinct owners over
 * all choices of `before` or `after` for each backend in transition, each
 * choice being one Maglev table. The first is the owner by all weights `after`,
 * who gets the new flows.
 *
 * A service whose table-size or scheduler changes has lists for both tables,
 * and a flow has the candidates of its slot in each (common/core/candidates.h).
 *
 * With `second-chance: always`, a list also has a standing deputy at its end:
 * who owns the slot if its owner is taken out of the pool. A load balancer
 * whose checks find the owner down sends the slot's new flows there, and
 * another one, whose checks do not, to the owner, who passes them on.
 *
 * The laws: the lists are a function of the set {(address, before, after)} and
 * of the size, so all hosts with the same file have the same lists. The order
 * in which the changes were made does not matter. The end of a transition (both
 * weights are `after` then) changes no slot's first candidate.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/config/transition.h"
#include "common/core/abi_services.h"

struct candidate {
	struct addr address;
	__u16 before; /* weights; 0: it has no slots */
	__u16 after;
};

/* The backends of a service, in its order; to be freed. NULL: no memory. */
struct candidate *candidates_of(const struct config_service *service);

/*
 * Fills lists[0..size) with the numbers that `backends` have in the array.
 * `size` is a prime; at most MOST_IN_TRANSITION are in transition: 8 tables. If
 * no backend has a weight `after`, the first is the owner by all weights
 * `before`. *cut: the lists that were too long. Returns 0, or -1 without
 * memory.
 */
int candidates_fill(__u32 size, const struct candidate *backends, size_t count,
		    struct candidates *lists, __u32 *cut);
/*
 * Adds the standing deputies to such lists, where there is room for them and
 * they are in no list yet. That takes a table for each backend. `standing`, of
 * STANDING_BITS(size), is overwritten: a bit for each slot, set if the slot got
 * a deputy; NULL: nobody asks. Returns 0, or -1 without memory.
 */
int candidates_stand(__u32 size, const struct candidate *backends, size_t count,
		     struct candidates *lists, __u64 *standing);
/*
 * Who is asked first for a flow that nobody remembers: the candidate behind the
 * last one that is gone (is_gone[number]), else the first. Backends pass a
 * packet on in a circle, and it never gets past one that is gone.
 */
__u16 candidates_first(const struct candidates *list, const bool *is_gone);
