/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * candidates.h - the backends that may have a flow, from two lists
 *
 * A service whose table-size or scheduler changes has two tables. A flow is in
 * a slot of each, and its candidates are those of both.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/core/inline.h"

/*
 * Adds to `list` what only `more` has, in its order; what finds no room is left
 * out. The first stays the first.
 */
INLINE void candidates_join(struct candidates *list,
			    const struct candidates *more)
{
	__u32 i, j;

	for (i = 0; i < MOST_CANDIDATES; i++) {
		for (j = 0; j < MOST_CANDIDATES; j++) {
			if (list->at[j] == NO_CANDIDATE)
				list->at[j] = more->at[i];
			if (list->at[j] == more->at[i])
				break;
		}
	}
}
