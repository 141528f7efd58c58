// SPDX-License-Identifier: GPL-2.0-only
/*
 * build.c - the file as a generation of xdp_lbr, aside
 *
 * What runs is read first, for names must not change hands: a service that is
 * still there keeps its id, a backend its index and id, so that the flows that
 * are remembered by them stay where they are. A table whose backends and
 * weights are the same is copied, not computed.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/core/inline.h"
#include "LoadBalancer/lbr.h"
#include "LoadBalancer/leaving.h"
#include "LoadBalancer/running.h"
#include "common/core/directory.h"
#include "common/tool/directory.h"
#include "common/tool/generation.h"
#include "common/tool/order.h"
#include "common/tool/routes.h"

struct build {
	struct kernel *kernel;
	const struct config *config;
	__u32 slot;
	struct generation *generation; /* to be completed */
	struct running old;
	const __u16 *old_tables; /* mapped, or NULL */
	size_t old_size;

	struct service *services; /* as in the file */
	__u16 *indices; /* of the file's backends, one service after another */
	size_t placed;	/* of them */
	struct backend *backends; /* BACKEND_SLOTS, by index */
	__u64 *until;		  /* as many; of those that are leaving */
	__u32 last_index;	  /* where the search for a free one goes on */
	__u32 service_id;	  /* the last given */
	__u32 slots;		  /* of all tables */
};

/* A counter that the index's last owner left behind. */
static void count_reset(struct build *build, __u32 index)
{
	int map = kernel_map(build->kernel, "backend_counts");
	void *zero = calloc((size_t)libbpf_num_possible_cpus(),
			    sizeof(struct backend_count));

	if (map >= 0 && zero)
		bpf_map_update_elem(map, &index, zero, BPF_ANY);
	free(zero);
	if (map >= 0)
		close(map);
}

/* A place for a backend that was not there. Returns it, or NULL: all taken. */
static struct backend *backend_place(struct build *build)
{
	struct backend *place;
	__u32 tries, index, last;

	for (tries = 0; tries < BACKEND_SLOTS; tries++) {
		index = build->last_index++ % BACKEND_SLOTS;
		place = &build->backends[index];
		if (place->state != BACKEND_ABSENT ||
		    build->old.backends[index].state != BACKEND_ABSENT)
			continue;
		/* Never an id twice; and none is 0. */
		last = build->old.backends[index].id;
		place->id =
			((last ? last : index) + BACKEND_SLOTS) & ~FLOW_ENDS;
		count_reset(build, index);
		return place;
	}
	return NULL;
}

static int backend_add(struct build *build, const struct service *service,
		       const struct config_backend *from,
		       struct fault *fault_out)
{
	struct backend *old, *new;

	old = running_backend(&build->old, service->id, &from->address);
	if (old) {
		new = &build->backends[old->id % BACKEND_SLOTS];
		new->id = old->id;
	} else {
		new = backend_place(build);
		if (!new)
			return fault(fault_out,
				     "cannot place a backend: all %d places "
				     "are taken",
				     BACKEND_SLOTS);
	}
	new->address = from->address;
	new->service = service->id;
	new->weight = from->weight;
	new->mtu = from->mtu;
	new->state = from->drain ? BACKEND_DRAINING : BACKEND_ACTIVE;
	build->indices[build->placed++] = (__u16)(new->id % BACKEND_SLOTS);
	return 0;
}

static struct service_key key_of(const struct config_service *service)
{
	return (struct service_key){service->vip, service->port,
				    service->protocol, 0};
}

/* The table's place among all tables. Returns 0, or -1 with errno. */
static int table_place(struct build *build, const struct config_service *from,
		       const __u16 *indices, struct service *new)
{
	size_t count;
	struct table_backend *list = order_backends(from, indices, &count);

	if (!list)
		return -1;
	if (count) {
		new->table_size = order_slots(from->scheduler, from->table_size,
					      list, count);
		new->table_first = build->slots;
		build->slots += new->table_size + SLOTS_PER_ELEMENT - 1;
		build->slots -= build->slots % SLOTS_PER_ELEMENT;
	}
	free(list);
	return 0;
}

/* Names and places; no table yet. */
static int services_add(struct build *build, struct fault *fault_out)
{
	const struct config_service *from = build->config->services;
	const struct running_service *old;
	struct service_key key;
	size_t i, j;

	for (i = 0; i < build->config->service_count; i++, from++) {
		struct service *new = &build->services[i];

		key = key_of(from);
		old = running_service(&build->old, &key);
		new->id = old ? old->service.id : ++build->service_id;
		new->scheduler = from->scheduler;
		new->method = from->method;
		new->turns = (__u16)i;
		for (j = 0; j < from->backend_count; j++) {
			if (backend_add(build, new, &from->backends[j],
					fault_out))
				return -1;
		}
		if (table_place(build, from,
				build->indices + build->placed -
					from->backend_count,
				new))
			return fault(fault_out, "cannot place a table: %s",
				     strerror(errno));
	}
	return 0;
}

/* Is the service's table the one that the running generation has? */
static const __u16 *table_same(const struct build *build,
			       const struct config_service *from,
			       const struct service *new)
{
	struct service_key key = key_of(from);
	const struct running_service *old = running_service(&build->old, &key);
	size_t first, end, i, active = 0, was_active = 0;
	const struct backend *backend;

	if (!old || !build->old_tables ||
	    old->service.table_size != new->table_size ||
	    !order_same(old->service.scheduler, new->scheduler))
		return NULL;
	running_range(&build->old, new->id, &first, &end);
	for (i = first; i < end; i++)
		was_active += build->old.by_address[i]->state == BACKEND_ACTIVE;
	for (i = 0; i < from->backend_count; i++) {
		if (from->backends[i].drain)
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

/*
 * Marks the slots whose flows may be remembered elsewhere: those that have
 * another backend than in the running table, or had one before.
 */
static void slots_mark(const struct build *build,
		       const struct config_service *from,
		       const struct service *new, __u16 *table)
{
	struct service_key key = key_of(from);
	const struct running_service *old = running_service(&build->old, &key);
	const __u16 *was = build->old_tables;
	__u32 i;

	if (!old)
		return;
	if (old->service.table_size != new->table_size ||
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

static int table_fill(struct build *build, const struct config_service *from,
		      const struct service *service, const __u16 *indices,
		      __u16 *table)
{
	const __u16 *same = table_same(build, from, service);
	struct table_backend *list;
	size_t count;
	int rc;

	if (same) {
		memcpy(table, same, service->table_size * sizeof(*table));
		slots_mark(build, from, service, table);
		return 0;
	}
	list = order_backends(from, indices, &count);
	if (!list)
		return -1;
	rc = order_fill(service->scheduler, table, service->table_size, list,
			count);
	free(list);
	if (!rc)
		slots_mark(build, from, service, table);
	return rc;
}

static int tables_write(struct build *build, struct fault *fault_out)
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

/*
 * Every service, the mark of its VIP (several may make the same), and it once
 * more where fragments find it without a port. *count: of them.
 */
static struct directory_entry *entries_of(const struct build *build,
					  size_t *count)
{
	size_t services = build->config->service_count, i;
	struct directory_entry *entries =
		calloc(3 * services, sizeof(*entries));
	struct directory_entry *next = entries;
	const struct config_service *from = build->config->services;

	for (i = 0; entries && i < services; i++, from++) {
		next->key = key_of(from);
		next->service = build->services[i];
		next->protocol = from->protocol;
		next->port_mask = from->by_address ? 0 : 0xffff;
		next++;
		if (from->by_address) {
			*next = next[-1];
			next->key.port = (FORCE __be16)PORT_UNKNOWN;
			next++->key.protocol = IPPROTO_FRAGMENT;
		}
		next++->key.vip = from->vip;
	}
	*count = (size_t)(next - entries);
	return entries;
}

static void vips_mark(struct generation *generation,
		      const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		__u32 bit = directory_bit(
			hash_destination(&config->services[i].vip));

		generation->vips[bit / 64] |= 1ULL << bit % 64;
	}
}

static int services_write(struct build *build, struct fault *fault_out)
{
	size_t count;
	struct directory_entry *entries = entries_of(build, &count);
	struct directory_places *places;
	struct part part;
	int rc = -1;

	places = part_open(&part, build->kernel, "services", build->slot,
			   PROT_READ | PROT_WRITE);
	if (!entries || !places) {
		fault(fault_out, "cannot write the services: %s",
		      strerror(errno));
	} else if (directory_fill(places->at, entries, count,
				  &build->generation->directory_seed)) {
		fault(fault_out, "cannot place %zu services in the directory",
		      build->config->service_count);
	} else {
		vips_mark(build->generation, build->config);
		rc = 0;
	}
	part_close(&part);
	free(entries);
	return rc;
}

static int backends_write(struct build *build, struct fault *fault_out)
{
	struct backend_rows *rows;
	struct part part;
	__u32 i;

	rows = part_open(&part, build->kernel, "backends", build->slot,
			 PROT_READ | PROT_WRITE);
	if (!rows)
		return fault(fault_out, "cannot write the backends: %s",
			     strerror(errno));
	for (i = 0; i < BACKEND_SLOTS; i++) {
		/* Who has left takes the memory of the index's last id along.
		 */
		if (build->backends[i].state == BACKEND_ABSENT)
			build->backends[i].id = build->old.backends[i].id;
		rows->at[i] = build->backends[i];
		rows->until[i] = build->until[i];
	}
	part_close(&part);
	return 0;
}

/* Where `ipip` sends from, if the file says. */
static void outer_set(struct generation *generation,
		      const struct config *config)
{
	const struct prefix *source = config->outer_sources;
	size_t i;

	for (i = 0; i < config->outer_source_count; i++, source++)
		generation->outer_source[!addr_is_ipv4(&source->address)] =
			*source;
}

int lbr_build(struct kernel *kernel, const struct config *config, __u32 slot,
	      struct generation *generation, struct fault *fault_out)
{
	struct build build = {.kernel = kernel,
			      .config = config,
			      .slot = slot,
			      .generation = generation};
	__u32 current = generation_current(kernel);
	int tables = -1, rc = -1;
	char why[64];

	if (running_read(kernel, current, &build.old, fault_out))
		return -1;
	if (current != NO_SLOT)
		tables = kernel_inner(kernel, "tables", current);
	build.old_tables = map_open(tables, PROT_READ, &build.old_size);
	outer_set(generation, config);
	generation->hops_by_flow = routes_by_flow(why, sizeof(why));
	build.service_id = control_get(kernel, CONTROL_SERVICE_ID);
	build.services = calloc(config->service_count, sizeof(struct service));
	build.backends = calloc(BACKEND_SLOTS, sizeof(struct backend));
	build.until = calloc(BACKEND_SLOTS, sizeof(*build.until));
	build.indices = calloc(MAX_BACKENDS, sizeof(*build.indices));
	if (!build.services || !build.backends || !build.until ||
	    !build.indices)
		fault(fault_out, "cannot build a generation: %s",
		      strerror(ENOMEM));
	else if (!services_add(&build, fault_out) &&
		 !leaving_keep(kernel, config, &build.old, build.services,
			       build.backends, build.until, fault_out) &&
		 !services_write(&build, fault_out) &&
		 !backends_write(&build, fault_out) &&
		 !tables_write(&build, fault_out))
		rc = control_set(kernel, CONTROL_SERVICE_ID, build.service_id);
	if (build.old_tables)
		munmap((void *)build.old_tables, build.old_size);
	if (tables >= 0)
		close(tables);
	free(build.services);
	free(build.backends);
	free(build.until);
	free(build.indices);
	running_free(&build.old);
	return rc;
}
