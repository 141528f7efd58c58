// SPDX-License-Identifier: GPL-2.0-only
/*
 * slots.c - the services' tables of a generation under construction
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/build.h"
#include "common/config/transition.h"
#include "common/core/abi_services.h"
#include "common/tables/order.h"

/* Does the service have the same table in the running generation? */
static const __u16 *table_same(const struct build *build,
			       const struct config_service *from,
			       const __u16 *indices, const struct service *new)
{
	const struct running_service *old =
		running_service_for(&build->old, from);
	size_t first, end, i, active = 0, was_active = 0;
	const struct backend *backend;

	if (!old || !build->old_tables || new->owners || old->service.owners ||
	    old->service.forgets != new->forgets || has_second_chance(from) ||
	    old->service.table_size != new->table_size ||
	    !order_same(old->service.scheduler, new->scheduler))
		return NULL;
	running_range(&build->old, new->id, &first, &end);
	for (i = first; i < end; i++)
		was_active += build->old.by_address[i]->state == BACKEND_ACTIVE;
	for (i = 0; i < from->backend_count; i++) {
		if (build->backends[indices[i]].state != BACKEND_ACTIVE)
			continue;
		active++;
		backend = running_backend(&build->old, new->id,
					  &from->backends[i].address);
		if (!backend || backend->state != BACKEND_ACTIVE ||
		    backend->weight != from->backends[i].weight)
			return NULL;
	}
	if (active != was_active)
		return NULL;
	return build->old_tables + old->service.table_first;
}

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

/*
 * Marks the slots whose flows may be remembered elsewhere: those that have
 * another backend than in the running table, or had one before; and all slots,
 * if the flows may be with another service.
 */
static void slots_mark(const struct build *build,
		       const struct config_service *from,
		       const struct service *new, __u16 *table)
{
	const struct running_service *old =
		running_service_for(&build->old, from);
	const __u16 *was = build->old_tables;
	bool heir = is_heir(build, from, old);
	__u32 i;

	if (!old && !heir)
		return;
	if (heir || old->service.table_size != new->table_size ||
	    old->service.scheduler != new->scheduler)
		was = NULL;
	else if (was)
		was += old->service.table_first;
	for (i = 0; i < new->table_size; i++) {
		if (!was || was[i] & SLOT_MOVED ||
		    build->old.backends[was[i] & SLOT_BACKEND].id !=
			    build->backends[table[i] & SLOT_BACKEND].id)
			table[i] |= SLOT_MOVED;
	}
}

static bool any_moved(const struct service *service, const __u16 *table)
{
	__u32 i;

	for (i = 0; i < service->table_size; i++) {
		if (table[i] & SLOT_MOVED)
			return true;
	}
	return false;
}

/*
 * The same for a service that forgets: what a verdict has moved once. If its
 * slots are now others, any of them may have such flows.
 */
static int deputies_write(const struct build *build,
			  const struct config_service *from,
			  const struct service *service, const __u16 *indices,
			  __u16 *table)
{
	const struct running_service *old =
		running_service_for(&build->old, from);
	bool all = is_heir(build, from, old) || (old && !old->service.forgets);
	const __u16 *was = NULL;

	if (old && build->old_tables)
		was = build->old_tables + old->service.table_first;
	if (was && (old->service.table_size != service->table_size ||
		    old->service.scheduler != service->scheduler)) {
		all |= any_moved(&old->service, was);
		was = NULL;
	}
	return deputies_fill(build, from, service, indices, was, all, table);
}

static int table_fill(struct build *build, const struct config_service *from,
		      const struct service *service, const __u16 *indices,
		      __u16 *table)
{
	const __u16 *same = table_same(build, from, indices, service);
	struct table_backend *list;
	size_t count;
	int rc;

	if (same) {
		memcpy(table, same, service->table_size * sizeof(*table));
		slots_mark(build, from, service, table);
		return 0;
	}
	if (service->forgets)
		return deputies_write(build, from, service, indices, table);
	list = order_backends(from, indices, build->backends, &count);
	if (!list)
		return -1;
	rc = order_fill(service->scheduler, table, service->table_size, list,
			count);
	free(list);
	if (!rc)
		slots_mark(build, from, service, table);
	return rc;
}

int tables_write(struct build *build, struct fault *fault_out)
{
	__u32 elements = build->slots / SLOTS_PER_ELEMENT ?: 1;
	int fd = inner_create(build->kernel, "tables", elements, fault_out);
	const struct config_service *from = build->config->services;
	const __u16 *indices = build->indices;
	const struct service *service;
	size_t i, size;
	__u16 *tables;
	int rc = 0;

	if (fd < 0)
		return -1;
	tables = map_open(fd, PROT_READ | PROT_WRITE, &size);
	for (i = 0; tables && !rc && i < build->config->service_count; i++) {
		service = &build->services[i];
		if (service->table_size)
			rc = table_fill(build, &from[i], service, indices,
					tables + service->table_first);
		indices += from[i].backend_count;
	}
	if (!tables || rc)
		rc = fault(fault_out, "cannot fill the tables: %s",
			   strerror(errno));
	else
		rc = inner_publish(build->kernel, "tables", build->slot, fd,
				   fault_out);
	if (tables)
		munmap(tables, size);
	close(fd);
	return rc;
}
