// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/unmark.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/chunks.h"
#include "common/core/age.h"
#include "common/core/begun.h"
#include "common/core/hash.h"
#include "common/core/schedule.h"
#include "common/kernel/generation.h"

/* A note's age is rounded, see begun_find(); and a switch follows its build. */
#define NOTES_SLACK (3ULL << BEGUN_UNIT)
#define BUILD_SLACK (5 * 1000)

/* Jiffies for which notes of the service's first packets may hold. */
static __u64 notes_hold(const struct running *running, __u8 protocol)
{
	const struct generation *generation = &running->generation;
	__u64 span = BEGUN_SECONDS * (__u64)generation->insert_window;

	if (protocol == IPPROTO_UDP && span < generation->udp_idle)
		span = generation->udp_idle;
	return span + NOTES_SLACK + jiffies_of(BUILD_SLACK);
}

/* When a slot was marked last; 0: none is, or nobody looks at marks. */
static __u64 moved_at(const struct running *running,
		      const struct running_service *row)
{
	const struct service *service = &row->service;

	if (service->removing || !service->table_size ||
	    !scheduler_is_function(service->scheduler))
		return 0;
	return running->moved[service->rr_turn];
}

bool unmark_is_wanted(const struct running *running)
{
	size_t i;

	for (i = 0; i < running->service_count; i++) {
		if (moved_at(running, &running->services[i]))
			return true;
	}
	return false;
}

/* Can no flow be remembered any more where it was before the last change? */
static bool is_due(const struct unmark *unmark,
		   const struct running_service *row)
{
	const struct running *running = unmark->running;
	__u64 moved = moved_at(running, row);

	return moved && unmark->now >= running->generation.grace_until &&
	       age(unmark->now, moved) >=
		       notes_hold(running, row->key.protocol);
}

int tables_open(struct tables *tables, const struct kernel *kernel,
		int protection)
{
	int fds[TABLE_CHUNKS], i, rc = 0;

	memset(tables, 0, sizeof(*tables));
	/* What cannot be opened has no slots to look at. */
	chunks_fds(kernel, fds);
	for (i = 0; i < TABLE_CHUNKS; i++) {
		if (fds[i] < 0)
			continue;
		if (!rc)
			tables->slots[i] =
				map_open(fds[i], protection, &tables->size[i]);
		if (!tables->slots[i])
			rc = -1;
		close(fds[i]);
	}
	return rc;
}

void tables_close(struct tables *tables)
{
	int i;

	for (i = 0; i < TABLE_CHUNKS; i++) {
		if (tables->slots[i])
			munmap(tables->slots[i], tables->size[i]);
	}
	memset(tables, 0, sizeof(*tables));
}

/* Where the table of a service is; NULL: it has none. */
static __u16 *table_of(const struct tables *tables,
		       const struct service *service)
{
	__u32 chunk = service->chunk % TABLE_CHUNKS;
	size_t end = service->table_first +
		     (size_t)TABLE_SLOTS(service->table_size) *
			     (1u + service->owners);

	if (!service->table_size || !tables->slots[chunk] ||
	    end > tables->size[chunk] / sizeof(__u16))
		return NULL;
	return tables->slots[chunk] + service->table_first;
}

size_t moved_slots(const struct tables *tables, const struct running *running,
		   const struct running_service *row)
{
	const __u16 *table = table_of(tables, &row->service);
	size_t count = 0;
	__u32 i;

	if (!moved_at(running, row) || !table)
		return 0;
	for (i = 0; i < row->service.table_size; i++)
		count += (table[i] & SLOT_MOVED) != 0;
	return count;
}

/* What one look needs, if a service is due. */
static int unmark_map(struct unmark *unmark, const struct kernel *kernel)
{
	int i;

	if (tables_open(&unmark->tables, kernel, PROT_READ | PROT_WRITE))
		return -1;
	for (i = 0; i < TABLE_CHUNKS; i++) {
		if (!unmark->tables.slots[i])
			continue;
		/* Pages that no flow is noted in take no memory. */
		unmark->busy[i] =
			calloc(unmark->tables.size[i] / sizeof(__u16), 1);
		if (!unmark->busy[i])
			return -1;
	}
	unmark->is_open = true;
	return flow_table_open(&unmark->flows, kernel_map(kernel, "flows"),
			       kernel_map(kernel, "flow_keys"));
}

int unmark_open(struct unmark *unmark, const struct kernel *kernel,
		struct running *running)
{
	bool again = unmark->is_again, due = again;
	size_t i;

	*unmark = (struct unmark){.running = running};
	if (jiffies_now(kernel, &unmark->now))
		return -1;
	unmark->idle = idle_of(unmark->now, running->generation.udp_idle);
	for (i = 0; i < running->service_count; i++) {
		due |= is_due(unmark, &running->services[i]);
		unmark->has_any |= !running->services[i].key.port;
	}
	return due ? unmark_map(unmark, kernel) : 0;
}

void unmark_close(struct unmark *unmark)
{
	int i;

	flow_table_close(&unmark->flows);
	tables_close(&unmark->tables);
	for (i = 0; i < TABLE_CHUNKS; i++)
		free(unmark->busy[i]);
	memset(unmark->busy, 0, sizeof(unmark->busy));
}

/* Unless a packet has written another flow there meanwhile. */
static void flow_delete(struct flow *flow, __u64 hash)
{
	__sync_bool_compare_and_swap(&flow->hash, hash, 0);
}

/* The slot that a flow has in a service. */
static __u32 slot_of(const struct running_service *row,
		     const struct flow_key *key)
{
	const struct service *service = &row->service;
	struct scheduling from = {
		.source = &key->source,
		.hash = hash_ends(&key->source, key->source_port, &row->key.vip,
				  key->port, row->key.protocol),
	};

	return scheduler_table_slot(service->scheduler, &from,
				    service->table_size);
}

/* Does a flow need the mark of this slot? */
static __u8 *busy_at(const struct unmark *unmark, const struct service *service,
		     __u32 slot)
{
	return &unmark->busy[service->chunk % TABLE_CHUNKS]
			    [service->table_first + slot];
}

/*
 * A flow that is remembered as one of `own`, at a service that would get its
 * SYN. What is remembered and not used would contradict the table later, so it
 * is deleted.
 */
static void look_at(struct unmark *unmark, const struct running_service *row,
		    const struct running_service *own, size_t way)
{
	const __u16 *table = table_of(&unmark->tables, &row->service);
	struct flow *flow = &unmark->flows.flows[way];
	__u64 hash = flow->hash;
	__u32 slot;
	__u16 word;

	if (!table || row->by_address != own->by_address ||
	    !(is_due(unmark, row) || row->service.forgets))
		return;
	slot = slot_of(row, &unmark->flows.keys[way]);
	word = table[slot];
	if (!(word & SLOT_MOVED)) {
		if (row->service.forgets)
			flow_delete(flow, hash);
		return;
	}
	if ((word & SLOT_BACKEND) ==
	    (flow->backend & FLOW_BACKEND) % BACKEND_INDEXES)
		return;
	if (flow_is_active(&unmark->idle, flow))
		*busy_at(unmark, &row->service, slot) = 1;
	else if (is_due(unmark, row))
		flow_delete(flow, hash);
}

static void look_at_way(struct unmark *unmark, size_t way)
{
	const struct running *running = unmark->running;
	const struct flow *flow = &unmark->flows.flows[way];
	const struct flow_key *key = &unmark->flows.keys[way];
	const struct running_service *own, *other;
	const struct backend *backend =
		&running->backends[flow->backend % BACKEND_INDEXES];
	struct service_key named;

	/* That of a backend that is gone is nobody's memory. */
	if (!flow->hash || backend->state == BACKEND_ABSENT ||
	    backend->id != (flow->backend & FLOW_BACKEND))
		return;
	own = running_service_of(running, key->service);
	if (!own)
		return;
	look_at(unmark, own, own, way);
	if (!unmark->has_any)
		return;
	named = own->key;
	named.port = own->key.port ? 0 : key->port;
	other = running_service(running, &named);
	if (other && other != own)
		look_at(unmark, other, own, way);
}

bool unmark_step(struct unmark *unmark, size_t ways)
{
	for (; ways && unmark->next < unmark->flows.ways; ways--)
		look_at_way(unmark, unmark->next++);
	return unmark->next >= unmark->flows.ways;
}

/* Has the slot the owner that it has at rest? */
static bool is_with_owner(const struct unmark *unmark,
			  const struct service *service, const __u16 *table,
			  __u32 slot)
{
	__u16 word = table[slot] & SLOT_BACKEND;

	if (!service->forgets)
		return true;
	if (unmark->running->backends[word].state != BACKEND_ACTIVE)
		return false;
	return !service->owners ||
	       table[TABLE_SLOTS(service->table_size) + slot] == word;
}

/* Takes the marks off one table. Returns how many; *left: one is left. */
static size_t table_end(struct unmark *unmark, const struct service *service,
			bool *left)
{
	__u16 *table = table_of(&unmark->tables, service), word;
	size_t count = 0;
	__u32 slot;

	for (slot = 0; table && slot < service->table_size; slot++) {
		word = table[slot];
		if (!(word & SLOT_MOVED))
			continue;
		if (*busy_at(unmark, service, slot) ||
		    !is_with_owner(unmark, service, table, slot)) {
			*left = true;
			continue;
		}
		__atomic_store_n(&table[slot], word & SLOT_BACKEND,
				 __ATOMIC_RELAXED);
		count++;
	}
	return count;
}

size_t unmark_end(struct unmark *unmark, const struct kernel *kernel)
{
	const struct running_service *row = unmark->running->services;
	struct part part;
	struct backend_rows *rows;
	size_t count = 0, ended, i;
	bool left;

	if (!unmark->is_open)
		return 0;
	rows = part_open(&part, kernel, "backends", generation_current(kernel),
			 PROT_READ | PROT_WRITE);
	for (i = 0; rows && i < unmark->running->service_count; i++, row++) {
		if (!is_due(unmark, row))
			continue;
		left = false;
		ended = table_end(unmark, &row->service, &left);
		count += ended;
		/* Its flows are not looked up any more, so forget them. */
		unmark->is_again |= ended && row->service.forgets;
		if (left)
			continue;
		rows->moved[row->service.rr_turn] = 0;
		unmark->running->moved[row->service.rr_turn] = 0;
	}
	part_close(&part);
	return count;
}

void unmark_now(const struct kernel *kernel, struct running *running)
{
	struct unmark unmark = {0};

	do {
		if (!unmark_open(&unmark, kernel, running) &&
		    unmark_step(&unmark, unmark.flows.ways))
			unmark_end(&unmark, kernel);
		unmark_close(&unmark);
	} while (unmark.is_again);
}
