// SPDX-License-Identifier: GPL-2.0-only
/*
 * slots.c - the services' tables of a generation under construction
 *
 * A service whose table would be computed from the same as in the running
 * generation has that table. All others are made, those with the same backends
 * and weights one after the other: their table is computed once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/chunks.h"
#include "LoadBalancer/generation/marks.h"
#include "LoadBalancer/generation/members.h"
#include "common/core/abi_services.h"

/* A table to be made. */
struct work {
	size_t number;	   /* of its service in the file */
	struct members of; /* at: NULL if it is to be copied */
	bool is_copy;
	bool is_heir;
};

struct making {
	struct build *build;
	struct chunks chunks;
	struct work *works;
	size_t count;
	__u64 slots; /* that they need */
};

/* May the service of any port have flows of the other, if both have one VIP? */
static bool are_related(const struct service_key *any,
			const struct service_key *own)
{
	return !any->port && own->port && any->protocol == own->protocol &&
	       !memcmp(&any->vip, &own->vip, sizeof(own->vip));
}

/*
 * May flows that begin in the service be remembered for another one, which had
 * its port before or will have it after?
 */
static bool is_heir(const struct build *build,
		    const struct config_service *from,
		    const struct running_service *old)
{
	const struct service_key key = service_key_of(from);
	size_t i;

	for (i = 0; i < build->left_count; i++) {
		if (are_related(&key, &build->left[i].service.key))
			return true;
	}
	if (old && !old->service.removing)
		return false;
	for (i = 0; i < build->old.service_count; i++) {
		if (are_related(&build->old.services[i].key, &key))
			return true;
	}
	return false;
}

/* When a slot of the service was marked last in the running generation. */
static __u64 moved_before(const struct build *build, size_t number)
{
	const struct running_service *old = running_service_for(
		&build->old, &build->config->services[number]);

	return old && !old->service.removing
		       ? build->old.moved[old->service.rr_turn]
		       : 0;
}

/* The service in the running generation, with a table of this size and order.
 */
static const struct service *table_before(const struct build *build,
					  const struct config_service *from,
					  const struct service *new)
{
	const struct running_service *old =
		running_service_for(&build->old, from);

	return old && old->service.table_size == new->table_size &&
			       old->service.scheduler == new->scheduler
		       ? &old->service
		       : NULL;
}

static void table_share(struct service *service, const struct service *old)
{
	service->chunk = old->chunk;
	service->table_first = old->table_first;
}

/* Shares the service's table with the running generation, or notes it. */
static int table_look(struct making *making, size_t number,
		      const __u16 *indices)
{
	struct build *build = making->build;
	const struct config_service *from = &build->config->services[number];
	struct service *new = &build->services[number];
	const struct service *old = table_before(build, from, new);
	struct work *work = &making->works[making->count];

	*work = (struct work){.number = number};
	work->is_heir =
		is_heir(build, from, running_service_for(&build->old, from));
	if (members_of(&work->of, from, new, indices, build->backends))
		return -1;
	build->table_inputs[number] = work->of.inputs;
	build->moved[number] = moved_before(build, number);
	if (old && !work->is_heir &&
	    build->old.table_inputs[old->rr_turn] == work->of.inputs) {
		table_share(new, old);
		chunks_keep(&making->chunks, new);
		free(work->of.at);
		return 0;
	}
	making->slots += table_slots(new);
	making->count++;
	return 0;
}

static int tables_look(struct making *making)
{
	const struct config *config = making->build->config;
	const __u16 *indices = making->build->indices;
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (making->build->services[i].table_size &&
		    table_look(making, i, indices))
			return -1;
		indices += config->services[i].backend_count;
	}
	return 0;
}

/* Tables that would stay, alone in a large chunk, move. */
static void tables_move(struct making *making)
{
	const struct build *build = making->build;
	size_t i, changed = making->count, next = 0;

	for (i = 0; i < build->config->service_count; i++) {
		const struct service *service = &build->services[i];

		if (next < changed && making->works[next].number == i) {
			next++;
			continue;
		}
		if (!service->table_size ||
		    !making->chunks.is_left[service->chunk % TABLE_CHUNKS])
			continue;
		making->works[making->count++] =
			(struct work){.number = i, .is_copy = true};
		making->slots += table_slots(service);
	}
}

static int tables_place(struct making *making, struct fault *fault_out)
{
	__u64 slots = making->slots;
	struct service *service;
	size_t i;

	for (i = 0; i < making->count; i++) {
		service = &making->build->services[making->works[i].number];
		if (chunks_place(&making->chunks, service, slots, fault_out))
			return -1;
		slots -= table_slots(service);
	}
	return 0;
}

/* Writes the table of numbers, as one of indexes. */
static void slots_write(const struct members *members, const __u16 *numbers,
			__u16 *table)
{
	__u32 i, slots = table_slots(members->service);
	__u16 indices[BACKEND_INDEXES];

	for (i = 0; i < members->count; i++)
		indices[i] = (__u16)(members->at[i].id % BACKEND_INDEXES);
	for (i = 0; i < slots; i++)
		table[i] = indices[numbers[i] & SLOT_BACKEND] |
			   (numbers[i] & SLOT_MOVED);
}

/* Has a verdict moved any slot of this table, or is that not known? */
static bool any_moved(const struct making *making,
		      const struct service *service)
{
	struct part part;
	const __u16 *table =
		table_open(&part, &making->chunks, service, PROT_READ);
	bool moved = !table;
	__u32 i;

	for (i = 0; !moved && i < service->table_size; i++)
		moved = table[i] & SLOT_MOVED;
	part_close(&part);
	return moved;
}

/*
 * May flows of any slot be remembered? `old`: the table before, NULL if it had
 * another size or order. Then its slots are others, and any of them may have
 * what a verdict has moved.
 */
static bool may_have_moved(const struct making *making, const struct work *work,
			   const struct service *old)
{
	const struct build *build = making->build;
	const struct running_service *before = running_service_for(
		&build->old, &build->config->services[work->number]);

	if (work->is_heir || (before && !before->service.forgets))
		return true;
	return before && !old && before->service.table_size &&
	       any_moved(making, &before->service);
}

static void table_write(const struct making *making, const struct work *work,
			const __u16 *numbers, const struct service *old,
			const __u16 *was, __u16 *table)
{
	const struct build *build = making->build;
	const struct service *service = &build->services[work->number];
	bool is_new = !running_service_for(
		&build->old, &build->config->services[work->number]);
	__u64 *moved = &build->moved[work->number];
	struct marks marks = {false, false};

	if (work->is_copy) {
		memcpy(table, was, table_slots(service) * sizeof(*table));
		return;
	}
	slots_write(&work->of, numbers, table);
	if (service->forgets)
		slots_mark_forgetting(build, service,
				      may_have_moved(making, work, old), was,
				      table, &marks);
	else if (!is_new || work->is_heir)
		slots_mark(build, service, work->is_heir ? NULL : was, table,
			   &marks);
	if (!marks.any)
		*moved = 0;
	else if (marks.news || !*moved)
		*moved = build->now;
}

/* Maps the table before and the new one, and writes that. */
static int table_make(const struct making *making, const struct work *work,
		      const __u16 *numbers)
{
	const struct build *build = making->build;
	const struct service *service = &build->services[work->number];
	const struct service *old = table_before(
		build, &build->config->services[work->number], service);
	struct part before = {0}, after;
	const __u16 *was = NULL;
	__u16 *table = table_open(&after, &making->chunks, service,
				  PROT_READ | PROT_WRITE);
	int rc = 0;

	if (old)
		was = table_open(&before, &making->chunks, old, PROT_READ);
	if (table && (was || !old))
		table_write(making, work, numbers, old, was, table);
	else
		rc = -1;
	part_close(&before);
	part_close(&after);
	return rc;
}

static int by_pool(const void *a, const void *b)
{
	const struct work *x = a, *y = b;

	return memcmp(x->of.pool, y->of.pool, DIGEST);
}

static int tables_make(struct making *making)
{
	const struct work *work = making->works;
	const struct work *end = work + making->count;
	const __u8 *computed = NULL;
	__u16 *numbers = NULL;
	int rc = 0;

	qsort(making->works, making->count, sizeof(*work), by_pool);
	for (; !rc && work < end; work++) {
		if (!work->is_copy &&
		    (!computed || memcmp(computed, work->of.pool, DIGEST))) {
			free(numbers);
			numbers = calloc(table_slots(work->of.service),
					 sizeof(*numbers));
			rc = numbers ? members_fill(&work->of, numbers) : -1;
			computed = work->of.pool;
		}
		rc = rc ?: table_make(making, work, numbers);
	}
	free(numbers);
	return rc;
}

/* What packets may use now; none of it is written to. */
static int taken(struct making *making)
{
	const struct build *build = making->build;
	__u32 current = generation_current(build->kernel);
	const struct generation *old = &build->old.generation;
	__u64 now;

	if (current == NO_GENERATION)
		return 0;
	if (jiffies_now(build->kernel, &now) ||
	    chunks_take(&making->chunks, current))
		return -1;
	return old->previous != current && generation_in_use(old, now)
		       ? chunks_take(&making->chunks, old->previous)
		       : 0;
}

static int tables_settle(struct making *making, struct fault *fault_out)
{
	if (taken(making) || tables_look(making))
		return fault(fault_out, "cannot fill the tables: %s",
			     strerror(errno));
	chunks_choose(&making->chunks, making->slots);
	tables_move(making);
	if (chunks_gaps(&making->chunks))
		return fault(fault_out, "cannot fill the tables: %s",
			     strerror(errno));
	if (tables_place(making, fault_out))
		return -1;
	if (tables_make(making))
		return fault(fault_out, "cannot fill the tables: %s",
			     strerror(errno));
	chunks_retire(&making->chunks);
	return 0;
}

int tables_write(struct build *build, struct fault *fault_out)
{
	struct making making = {.build = build};
	int rc = chunks_open(&making.chunks, build->kernel, fault_out);
	size_t i;

	making.works =
		calloc(build->config->service_count, sizeof(*making.works));
	if (!rc && !making.works)
		rc = fault(fault_out, "cannot fill the tables: %s",
			   strerror(ENOMEM));
	rc = rc ?: tables_settle(&making, fault_out);
	for (i = 0; i < making.count; i++)
		free(making.works[i].of.at);
	free(making.works);
	chunks_close(&making.chunks);
	return rc;
}
