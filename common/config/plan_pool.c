// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_pool.c - see plan_pool.h
 *
 * What may be in transition is an element: each backend, by its weight (0: it
 * has none), and the service's table. An element is at rest, with one value, or
 * has two, before and after. At rest it may begin a transition to another
 * value; in transition it may turn back, or end with the value after.
 */
#include "common/config/plan_pool.h"

#include <string.h>

#include "common/config/transition.h"

struct share {
	__u32 before, after;
};

struct element {
	struct share now, wanted, next;
};

/* The table, and all backends of both files. */
#define MOST_ELEMENTS (1 + 2 * MAX_BACKENDS)

struct pool {
	struct element *at; /* [0]: the table */
	size_t count;
	int room; /* of MOST_IN_TRANSITION */
};

static bool rests(struct share share)
{
	return share.before == share.after;
}

static bool same(struct share a, struct share b)
{
	return a.before == b.before && a.after == b.after;
}

static bool has(struct share share, __u32 value)
{
	return share.before == value || share.after == value;
}

/* Have both the same two values, in whichever order? */
static bool turns_into(struct share a, struct share b)
{
	return has(a, b.before) && has(a, b.after) && has(b, a.before) &&
	       has(b, a.after);
}

/* Wanted in transition, and in it already: it stays. */
static bool stays(const struct element *element)
{
	return !rests(element->wanted) &&
	       turns_into(element->now, element->wanted);
}

/* The value at which it has to rest next; of one that stays, none. */
static __u32 goal(const struct element *element)
{
	if (!rests(element->wanted) && rests(element->now) &&
	    has(element->wanted, element->now.after))
		return element->now.after;
	return element->wanted.after;
}

/* Is it one step before what is wanted, or there? */
static bool is_ready(const struct element *element)
{
	return stays(element) ||
	       (rests(element->now) && element->now.after == goal(element));
}

/* Newcomers first: what leaves may need the room after them. */
static void begin(struct pool *pool, bool newcomers)
{
	struct element *each = pool->at;
	size_t i;

	for (i = 0; i < pool->count; i++, each++) {
		if (pool->room <= 0 || !rests(each->now) ||
		    newcomers != !each->now.after ||
		    each->now.after == goal(each))
			continue;
		each->next = (struct share){each->now.after, goal(each)};
		pool->room--;
	}
}

static void round_begin(struct pool *pool)
{
	struct element *each;
	bool ready = true;
	size_t i;

	for (i = 0; i < pool->count; i++)
		ready &= is_ready(&pool->at[i]);
	for (i = 0, each = pool->at; i < pool->count; i++, each++) {
		if (ready)
			each->next = each->wanted;
		else if (!rests(each->now) && !stays(each) &&
			 goal(each) == each->now.before)
			each->next = (struct share){each->now.after,
						    each->now.before};
	}
	if (ready)
		return;
	begin(pool, true);
	begin(pool, false);
}

static void round_end(struct pool *pool)
{
	struct element *each;
	bool any = false, waits = false;
	size_t i;

	for (i = 0, each = pool->at; i < pool->count; i++, each++) {
		waits |= !is_ready(each);
		if (rests(each->now) || stays(each) ||
		    goal(each) == each->now.before)
			continue;
		each->next.before = each->now.after;
		any = true;
	}
	/* Those that stay have taken the room from others: they begin again. */
	for (i = 0, each = pool->at; waits && !any && i < pool->count;
	     i++, each++)
		each->next.before = each->now.after;
}

static __u32 table_value(__u32 size, __u8 scheduler)
{
	return (__u32)scheduler << 24 | size;
}

static struct share table_share(const struct config_service *service)
{
	return (struct share){
		table_value(size_before(service), scheduler_before(service)),
		table_value(service->table_size, service->scheduler)};
}

static void table_give(struct config_service *service, struct share share)
{
	memset(&service->was, 0, sizeof(service->was));
	service->table_size = share.after & 0xffffff;
	service->scheduler = share.after >> 24;
	if (rests(share))
		return;
	service->was.table_size = share.before & 0xffffff;
	service->was.scheduler = 1 + (share.before >> 24);
}

static struct share share_of(const struct config_backend *backend)
{
	return backend ? (struct share){backend->before, backend->after}
		       : (struct share){0, 0};
}

/* The weights of a backend that is in the file. */
static void share_give(struct config_backend *backend, struct share share)
{
	backend->state = STATE_ACTIVE;
	backend->drain = !share.after;
	backend->weight = share.after ?: share.before;
	backend->weight_before = 0;
	if (share.after && !share.before)
		backend->state = STATE_FILLING;
	else if (share.after && !rests(share))
		backend->weight_before = share.before;
	backend->before = share.before;
	backend->after = share.after;
}

void plan_union(struct config_service *service,
		const struct config_service *running,
		const struct config_service *wanted)
{
	const struct config_backend *backend, *new;
	size_t i;

	service->backend_count = 0;
	for (i = 0; i < running->backend_count; i++) {
		backend = &running->backends[i];
		new = config_backend_of(wanted, &backend->address);
		service->backends[service->backend_count++] = *(new ?: backend);
	}
	for (i = 0; i < wanted->backend_count; i++) {
		backend = &wanted->backends[i];
		if (!config_backend_of(running, &backend->address))
			service->backends[service->backend_count++] = *backend;
	}
}

bool plan_in_rounds(const struct config_service *service,
		    const struct config_service *running,
		    const struct config_service *wanted)
{
	struct config_service both = *service;

	both.scheduler = running->scheduler;
	if (!can_have_second_chance(&both))
		return false;
	both.scheduler = wanted->scheduler;
	return can_have_second_chance(&both);
}

static struct element element_of(struct share now, struct share wanted)
{
	return (struct element){now, wanted, now};
}

void plan_pool(struct config_service *service,
	       const struct config_service *running,
	       const struct config_service *wanted, enum plan_round round)
{
	static struct element
		elements[MOST_ELEMENTS]; /* too many for a stack */
	struct pool pool = {.at = elements, .room = MOST_IN_TRANSITION};
	const struct addr *address;
	size_t i, kept = 0;

	plan_union(service, running, wanted);
	pool.count = 1 + service->backend_count;
	elements[0] = element_of(table_share(running), table_share(wanted));
	for (i = 0; i < service->backend_count; i++) {
		address = &service->backends[i].address;
		elements[1 + i] = element_of(
			share_of(config_backend_of(running, address)),
			share_of(config_backend_of(wanted, address)));
	}
	for (i = 0; i < pool.count; i++)
		pool.room -= !rests(elements[i].now);
	if (round == ROUND_BEGIN)
		round_begin(&pool);
	else
		round_end(&pool);
	table_give(service, elements[0].next);
	for (i = 0; i < service->backend_count; i++) {
		if (same(elements[1 + i].next, (struct share){0, 0}))
			continue;
		service->backends[kept] = service->backends[i];
		share_give(&service->backends[kept++], elements[1 + i].next);
	}
	service->backend_count = kept;
}

void plan_at_once(struct config_service *service,
		  const struct config_service *running,
		  const struct config_service *wanted, enum plan_round round)
{
	size_t i;

	service->table_size = wanted->table_size;
	service->scheduler = wanted->scheduler;
	service->was = wanted->was;
	if (round == ROUND_END) {
		service->backend_count = wanted->backend_count;
		memcpy(service->backends, wanted->backends,
		       wanted->backend_count * sizeof(*wanted->backends));
		return;
	}
	plan_union(service, running, wanted);
	for (i = 0; i < service->backend_count; i++) {
		struct config_backend *backend = &service->backends[i];

		if (config_backend_of(wanted, &backend->address))
			continue;
		backend->drain = true;
		backend->state = STATE_ACTIVE;
		backend->weight_before = 0;
	}
}
