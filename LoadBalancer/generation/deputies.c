// SPDX-License-Identifier: GPL-2.0-only
/*
 * deputies.c - the tables of services that forget their flows
 *
 * The owner of a slot follows from the file alone, so that load balancers
 * agree. Where it does not take new flows at this one, because of a verdict or
 * by hand, the slot has a deputy: the next candidate that does (flows that are
 * older than a change of the pool may be with it), and if there is none, the
 * owner by a table of those that do. Only in these slots flows are remembered;
 * what is unknown there goes to the owner, as long as it keeps its flows.
 */
#include <stdlib.h>

#include "LoadBalancer/generation/build.h"
#include "common/core/abi_services.h"
#include "common/tables/candidates.h"
#include "common/tables/order.h"

bool owners_differ(const struct config_service *from, const __u16 *indices,
		   const struct backend *backends)
{
	const struct config_backend *backend = from->backends;
	bool takes;
	size_t i;

	for (i = 0; i < from->backend_count; i++, backend++) {
		takes = backends[indices[i]].state == BACKEND_ACTIVE;
		if (backend->after != (takes ? backend->weight : 0))
			return true;
	}
	return false;
}

static bool has_weight_override(const struct config_service *from)
{
	size_t i;

	for (i = 0; i < from->backend_count; i++) {
		if (from->backends[i].override & OVERRIDE_WEIGHT)
			return true;
	}
	return false;
}

/* The first candidate that takes new flows, or NO_CANDIDATE. */
static __u16 deputy_of(const struct candidates *list, const __u16 *indices,
		       const struct backend *backends)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES && list->at[i] != NO_CANDIDATE; i++) {
		if (backends[indices[list->at[i]]].state == BACKEND_ACTIVE)
			return indices[list->at[i]];
	}
	return NO_CANDIDATE;
}

struct fill {
	const struct build *build;
	const struct config_service *from;
	const struct service *service;
	const __u16 *indices;
	const __u16 *was;
	bool all, overridden;
	struct candidates *lists;
	__u16 *rest; /* the table of those that take new flows */
	size_t rest_count;
};

static void slots_fill(const struct fill *fill, __u16 *table)
{
	__u16 *owners = table + TABLE_SLOTS(fill->service->table_size);
	__u16 owner, deputy;
	__u32 i;

	for (i = 0; i < fill->service->table_size; i++) {
		owner = fill->indices[fill->lists[i].at[0]];
		deputy = fill->overridden
				 ? NO_CANDIDATE
				 : deputy_of(&fill->lists[i], fill->indices,
					     fill->build->backends);
		if (deputy == NO_CANDIDATE)
			deputy = fill->rest_count ? fill->rest[i] : owner;
		table[i] = deputy;
		/* Where nobody takes new flows, a SYN must be looked at. */
		if (deputy != owner || fill->all ||
		    fill->build->backends[deputy].state != BACKEND_ACTIVE ||
		    (fill->was && fill->was[i] & SLOT_MOVED))
			table[i] |= SLOT_MOVED;
		if (fill->service->owners)
			owners[i] = owner;
	}
}

int deputies_fill(const struct build *build, const struct config_service *from,
		  const struct service *service, const __u16 *indices,
		  const __u16 *was, bool all, __u16 *table)
{
	struct fill fill = {.build = build,
			    .from = from,
			    .service = service,
			    .indices = indices,
			    .was = was,
			    .all = all,
			    .overridden = has_weight_override(from)};
	struct candidate *backends = candidates_of(from);
	struct table_backend *rest = order_backends(
		from, indices, build->backends, &fill.rest_count);
	__u32 cut;
	int rc = -1;

	fill.lists = calloc(service->table_size, sizeof(*fill.lists));
	fill.rest = calloc(service->table_size, sizeof(*fill.rest));
	if (backends && rest && fill.lists && fill.rest)
		rc = candidates_fill(service->table_size, backends,
				     from->backend_count, fill.lists, &cut);
	if (!rc && service->owners && fill.rest_count)
		rc = order_fill(service->scheduler, fill.rest,
				service->table_size, rest, fill.rest_count);
	if (!rc)
		slots_fill(&fill, table);
	free(backends);
	free(rest);
	free(fill.lists);
	free(fill.rest);
	return rc;
}
