// SPDX-License-Identifier: GPL-2.0-only
#include "common/tables/candidates.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_services.h"
#include "common/tables/maglev.h"

struct candidate *candidates_of(const struct config_service *service)
{
	const struct config_backend *from = service->backends;
	struct candidate *list = calloc(service->backend_count, sizeof(*list));
	size_t i;

	for (i = 0; list && i < service->backend_count; i++)
		list[i] = (struct candidate){from[i].address, from[i].before,
					     from[i].after};
	return list;
}

static bool changes(const struct candidate *backend)
{
	return backend->before != backend->after;
}

/*
 * The numbers of the backends in transition, by address, so that the order in
 * the file does not matter. At most MOST_IN_TRANSITION. Returns how many.
 */
static size_t changing_of(const struct candidate *backends, size_t count,
			  size_t changing[MOST_IN_TRANSITION])
{
	size_t i, j, found = 0;

	for (i = 0; i < count && found < MOST_IN_TRANSITION; i++) {
		if (!changes(&backends[i]))
			continue;
		for (j = found++;
		     j && memcmp(&backends[changing[j - 1]].address,
				 &backends[i].address, sizeof(struct addr)) > 0;
		     j--)
			changing[j] = changing[j - 1];
		changing[j] = i;
	}
	return found;
}

static bool has_after(const struct candidate *backends, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (backends[i].after)
			return true;
	}
	return false;
}

/*
 * The backends with a weight, by one choice: bit n of `choice` gives the n-th
 * in transition its weight `before`. Returns how many.
 */
static size_t choose(const struct candidate *backends, size_t count,
		     const size_t *changing, size_t changing_count,
		     __u32 choice, struct table_backend *chosen)
{
	size_t i, n, found = 0;
	__u16 weight;

	for (i = 0; i < count; i++) {
		weight = backends[i].after;
		for (n = 0; n < changing_count; n++) {
			if (changing[n] == i && choice >> n & 1)
				weight = backends[i].before;
		}
		if (weight)
			chosen[found++] = (struct table_backend){
				backends[i].address, weight, (__u16)i};
	}
	return found;
}

/* Adds the owner of each slot to its list, unless it is there. */
static void merge(struct candidates *lists, const __u16 *table, __u32 size,
		  bool *is_cut)
{
	__u32 slot;
	int i;

	for (slot = 0; slot < size; slot++) {
		__u16 *at = lists[slot].at;

		for (i = 0; i < MOST_CANDIDATES; i++) {
			if (at[i] == NO_CANDIDATE)
				at[i] = table[slot];
			if (at[i] == table[slot])
				break;
		}
		if (i == MOST_CANDIDATES)
			is_cut[slot] = true;
	}
}

int candidates_fill(__u32 size, const struct candidate *backends, size_t count,
		    struct candidates *lists, __u32 *cut)
{
	size_t changing[MOST_IN_TRANSITION];
	size_t all = changing_of(backends, count, changing), chosen_count;
	struct table_backend *chosen = calloc(count + 1, sizeof(*chosen));
	__u16 *table = calloc(size, sizeof(*table));
	bool *is_cut = calloc(size, sizeof(*is_cut));
	int rc = chosen && table && is_cut ? 0 : -1;
	__u32 choice, slot, flip;

	/* Where nobody is to have new flows, those from before come first. */
	flip = has_after(backends, count) ? 0 : (1u << all) - 1;
	memset(lists, 0xff, size * sizeof(*lists)); /* NO_CANDIDATE */
	for (choice = 0; !rc && choice < 1u << all; choice++) {
		chosen_count = choose(backends, count, changing, all,
				      choice ^ flip, chosen);
		if (!chosen_count)
			continue;
		rc = maglev_fill(table, size, chosen, chosen_count);
		if (!rc)
			merge(lists, table, size, is_cut);
	}
	*cut = 0;
	for (slot = 0; !rc && slot < size; slot++)
		*cut += is_cut[slot];
	free(chosen);
	free(table);
	free(is_cut);
	return rc;
}

/* Those with a weight `after`, but for one. Returns how many. */
static size_t all_but(const struct candidate *backends, size_t count,
		      size_t one, struct table_backend *chosen)
{
	size_t i, found = 0;

	for (i = 0; i < count; i++) {
		if (i != one && backends[i].after)
			chosen[found++] = (struct table_backend){
				backends[i].address, backends[i].after,
				(__u16)i};
	}
	return found;
}

/* Returns whether the list got it. */
static bool add(struct candidates *list, __u16 number)
{
	int i;

	for (i = 0; i < MOST_CANDIDATES; i++) {
		if (list->at[i] == number)
			return false;
		if (list->at[i] == NO_CANDIDATE) {
			list->at[i] = number;
			return true;
		}
	}
	return false;
}

int candidates_stand(__u32 size, const struct candidate *backends, size_t count,
		     struct candidates *lists, __u64 *standing)
{
	struct table_backend *chosen = calloc(count + 1, sizeof(*chosen));
	__u16 *table = calloc(size, sizeof(*table));
	int rc = chosen && table ? 0 : -1;
	size_t owner, chosen_count;
	__u32 slot;

	if (standing)
		memset(standing, 0, STANDING_BITS(size) * sizeof(*standing));
	for (owner = 0; !rc && owner < count; owner++) {
		chosen_count = all_but(backends, count, owner, chosen);
		if (!backends[owner].after || !chosen_count)
			continue;
		rc = maglev_fill(table, size, chosen, chosen_count);
		for (slot = 0; !rc && slot < size; slot++) {
			if (lists[slot].at[0] == owner &&
			    add(&lists[slot], table[slot]) && standing)
				standing[slot / 64] |= 1ULL << slot % 64;
		}
	}
	free(chosen);
	free(table);
	return rc;
}

__u16 candidates_first(const struct candidates *list, const bool *is_gone)
{
	__u16 first = list->at[0];
	int i;

	for (i = 1; i < MOST_CANDIDATES && list->at[i] != NO_CANDIDATE; i++) {
		if (!is_gone[list->at[i]] && is_gone[list->at[i - 1]])
			first = list->at[i];
	}
	return first;
}
