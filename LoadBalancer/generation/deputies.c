// SPDX-License-Identifier: GPL-2.0-only
/*
 * deputies.c - the tables of services that forget their flows
 *
 * The owner of a slot follows from the file alone, so that load balancers
 * agree. Where it does not take new flows at this one, because of a verdict or
 * by hand, the slot has a deputy: the next candidate that does (flows that are
 * older than a change of the pool may be with it), and if there is none, the
 * owner by a table of those that do. Only in these slots flows are remembered;
 * what is unknown there goes to the owner, as long as it keeps its flows. While
 * the path to a candidate is down, backends would pass on to it and never reach
 * those behind it in the list: unknown flows go to them first.
 */
#include <stdlib.h>

#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/members.h"
#include "common/core/abi_services.h"
#include "common/tables/candidates.h"

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

static bool has_weight_override(const struct members *members)
{
	size_t i;

	for (i = 0; i < members->count; i++) {
		if (members->at[i].is_overridden)
			return true;
	}
	return false;
}

/* The first candidate that takes new flows, or NO_CANDIDATE. */
static __u16 deputy_of(const struct candidates *list,
		       const struct members *members)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES && list->at[i] != NO_CANDIDATE; i++) {
		if (members->at[list->at[i]].is_active)
			return list->at[i];
	}
	return NO_CANDIDATE;
}

struct fill {
	const struct members *members;
	bool is_overridden;
	struct candidates *lists;
	__u16 *rest; /* the table of those that take new flows */
	size_t rest_count;
	bool *is_gone; /* by number: nothing comes back from it */
};

static bool is_listed(const struct candidates *list, __u16 number)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (list->at[i] == number)
			return true;
	}
	return false;
}

/*
 * Who gets packets of unknown flows in the slot. If the owner is gone, its
 * number stands for the deputy, which is asked first or, if it is in no list,
 * passes them on to the second candidate.
 */
static __u16 asked_of(const struct fill *fill, const struct candidates *list,
		      __u16 deputy)
{
	__u16 owner = list->at[0];
	__u16 first = candidates_first(list, fill->is_gone);

	if (fill->is_gone[owner] &&
	    (first == deputy || !is_listed(list, deputy)))
		return owner;
	return first;
}

static void slots_fill(const struct fill *fill, __u16 *numbers)
{
	const struct service *service = fill->members->service;
	__u16 *owners = numbers + TABLE_SLOTS(service->table_size);
	__u16 owner, deputy, asked;
	__u32 i;

	for (i = 0; i < service->table_size; i++) {
		owner = fill->lists[i].at[0];
		deputy = fill->is_overridden
				 ? NO_CANDIDATE
				 : deputy_of(&fill->lists[i], fill->members);
		if (deputy == NO_CANDIDATE)
			deputy = fill->rest_count ? fill->rest[i] : owner;
		numbers[i] = deputy;
		asked = asked_of(fill, &fill->lists[i], deputy);
		/* Where nobody takes new flows, a SYN must be looked at. */
		if (deputy != owner || deputy != asked ||
		    !fill->members->at[deputy].is_active)
			numbers[i] |= SLOT_MOVED;
		if (service->owners)
			owners[i] = asked;
	}
}

static bool *gone_among(const struct members *members)
{
	bool *is_gone = calloc(members->count + 1, sizeof(*is_gone));
	size_t i;

	for (i = 0; is_gone && i < members->count; i++)
		is_gone[i] = members->at[i].is_gone;
	return is_gone;
}

static struct candidate *candidates_among(const struct members *members)
{
	struct candidate *list = calloc(members->count + 1, sizeof(*list));
	size_t i;

	for (i = 0; list && i < members->count; i++)
		list[i] = (struct candidate){members->at[i].address,
					     members->at[i].before,
					     members->at[i].after};
	return list;
}

int deputies_fill(const struct members *members, __u16 *numbers)
{
	const struct service *service = members->service;
	struct fill fill = {.members = members,
			    .is_overridden = has_weight_override(members)};
	struct candidate *backends = candidates_among(members);
	struct table_backend *rest = members_active(members, &fill.rest_count);
	__u32 cut;
	int rc = -1;

	fill.lists = calloc(service->table_size, sizeof(*fill.lists));
	fill.rest = calloc(service->table_size, sizeof(*fill.rest));
	fill.is_gone = gone_among(members);
	if (backends && rest && fill.lists && fill.rest && fill.is_gone)
		rc = candidates_fill(service->table_size, backends,
				     members->count, fill.lists, &cut);
	if (!rc && members->stand)
		rc = candidates_stand(service->table_size, backends,
				      members->count, fill.lists, NULL);
	if (!rc && service->owners && fill.rest_count)
		rc = order_fill(service->scheduler, fill.rest,
				service->table_size, rest, fill.rest_count);
	if (!rc)
		slots_fill(&fill, numbers);
	free(backends);
	free(rest);
	free(fill.lists);
	free(fill.rest);
	free(fill.is_gone);
	return rc;
}
