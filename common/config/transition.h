/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transition.h - backends whose share of the flows changes
 *
 * Such a backend has two weights, before and after: one that fills has 0
 * before, one that drains has 0 after. A service whose table-size or scheduler
 * changes has two tables. See common/tables/candidates.h.
 */
#pragma once

#include "common/config/config.h"
#include "common/config/refusal.h"

/* A service's backends, and its table, that may be in transition at a time. */
#define MOST_IN_TRANSITION 3

/* The service's table before (key `was`): as now if it is in no transition. */
static inline __u32 size_before(const struct config_service *service)
{
	return service->was.table_size ?: service->table_size;
}

static inline __u8 scheduler_before(const struct config_service *service)
{
	return service->was.scheduler ? service->was.scheduler - 1
				      : service->scheduler;
}

static inline bool table_changes(const struct config_service *service)
{
	return size_before(service) != service->table_size ||
	       scheduler_before(service) != service->scheduler;
}

/*
 * "its table, 192.0.2.1, 192.0.2.2": what is in transition; cut where there is
 * no room. Returns `text`.
 */
#define TRANSITION_TEXT 192
const char *transition_text(const struct config_service *service,
			    char text[TRANSITION_TEXT]);

/* Could sockets of its flows be looked up, and packets be passed on? */
bool can_have_second_chance(const struct config_service *service);

/*
 * Do backends look at each other for flows of this service, because one of them
 * or its table is in transition?
 */
bool is_in_transition(const struct config_service *service);

/*
 * Do backends look for flows at each other, now or always? Only of TCP, whose
 * sockets they can look up, by a method that writes the backend's address into
 * the packet or in front of it, and by a scheduler that is a function of the
 * flow. More than MOST_IN_TRANSITION that drain, as a file could always say:
 * no.
 */
bool has_second_chance(const struct config_service *service);

/*
 * Settles what the keys said: `state: draining` becomes `drain`, and each
 * backend gets its two weights. Refuses a backend with more than two and, of
 * services that can have second chance, one with too much in transition; `was`
 * and `flows: second-chance` of those that cannot.
 */
int transitions_settle(struct config *config, const struct refusal *refusal);

/*
 * Would the change from one file to another break flows of a service that is
 * not remembered? It would not if both hold: each backend's weight now is one
 * of the two that it will have, and likewise the service's table; and no
 * transition ends in the step in which another begins. Returns 0, or -1 with a
 * line on what to do in `why`.
 */
int transition_step(const struct config *old, const struct config *new,
		    char *why, size_t size);
