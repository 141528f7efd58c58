/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * marks.h - which slots of a new table are marked SLOT_MOVED
 *
 * How a mark is taken off: unmark.h.
 */
#pragma once

#include "LoadBalancer/generation/build.h"

/* What the marks of a table say: is a slot marked, and one that was not so? */
struct marks {
	bool any, news;
};

/*
 * Marks the slots whose flows may be remembered elsewhere: those that have
 * another backend than in the running table, or had one before. `was`: that
 * table; NULL: all slots.
 */
void slots_mark(const struct build *build, const struct service *service,
		const __u16 *was, __u16 *table, struct marks *marks);
/*
 * The same for a service that forgets: what a verdict has moved once. What is
 * not with its owner is marked already. `all`: every slot is marked.
 */
void slots_mark_forgetting(const struct build *build,
			   const struct service *service, bool all,
			   const __u16 *was, __u16 *table, struct marks *marks);
