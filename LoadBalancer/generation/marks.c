// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/marks.h"

#include "common/core/abi_services.h"

static void slot_mark(struct marks *marks, bool is_news, __u16 *slot)
{
	*slot |= SLOT_MOVED;
	marks->any = true;
	marks->news |= is_news;
}

/* Has the slot the backend that it had? `was`: NULL: it had none. */
static bool is_same(const struct build *build, const __u16 *was, __u16 slot)
{
	return was && build->old.backends[*was & SLOT_BACKEND].id ==
			      build->backends[slot & SLOT_BACKEND].id;
}

void slots_mark(const struct build *build, const struct service *service,
		const __u16 *was, __u16 *table, struct marks *marks)
{
	bool same;
	__u32 i;

	for (i = 0; i < service->table_size; i++) {
		same = is_same(build, was ? &was[i] : NULL, table[i]);
		if (!same || was[i] & SLOT_MOVED)
			slot_mark(marks, !same, &table[i]);
	}
}

void slots_mark_forgetting(const struct build *build,
			   const struct service *service, bool all,
			   const __u16 *was, __u16 *table, struct marks *marks)
{
	bool is_marked;
	__u32 i;

	for (i = 0; i < service->table_size; i++) {
		is_marked = was && was[i] & SLOT_MOVED;
		if (all || is_marked || table[i] & SLOT_MOVED)
			slot_mark(marks,
				  !is_marked ||
					  !is_same(build, &was[i], table[i]),
				  &table[i]);
	}
}
