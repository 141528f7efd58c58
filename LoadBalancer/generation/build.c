// SPDX-License-Identifier: GPL-2.0-only
/*
 * build.c - build the file as a generation of xdp_lbr, aside
 *
 * The running generation is read first, because ids must not change hands: a
 * service that is still there keeps its id, a backend its index and id, so that
 * flows that are remembered by them stay.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/generation.h"
#include "LoadBalancer/generation/layouts.h"
#include "LoadBalancer/generation/removing.h"
#include "LoadBalancer/generation/states.h"
#include "common/config/state.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/abi_workers.h"
#include "common/core/address.h"
#include "common/core/service_table.h"
#include "common/core/inline.h"
#include "common/kernel/generation.h"
#include "common/net/routes.h"
#include "common/tables/service_table.h"
#include "common/tables/order.h"

/* Clears the counter that the previous backend of the index left. */
static void count_reset(struct build *build, __u32 index)
{
	int map = kernel_map(build->kernel, "backend_counts");
	void *zero =
		calloc((size_t)kernel_cpus(), sizeof(struct backend_count));

	if (map >= 0 && zero)
		bpf_map_update_elem(map, &index, zero, BPF_ANY);
	free(zero);
	if (map >= 0)
		close(map);
}

/* An index that neither generation uses, or BACKEND_INDEXES. */
static __u32 index_free(struct build *build)
{
	__u32 tries, index;

	for (tries = 0; tries < BACKEND_INDEXES; tries++) {
		index = build->last_index++ % BACKEND_INDEXES;
		if (build->backends[index].state == BACKEND_ABSENT &&
		    build->old.backends[index].state == BACKEND_ABSENT)
			return index;
	}
	return BACKEND_INDEXES;
}

/*
 * The index of the backend being removed that would be gone first, or
 * BACKEND_INDEXES.
 */
static __u32 index_removing(const struct build *build)
{
	__u32 index, first = BACKEND_INDEXES;

	for (index = 0; index < BACKEND_INDEXES; index++) {
		if (build->backends[index].state == BACKEND_ABSENT &&
		    build->old.backends[index].state == BACKEND_REMOVING &&
		    (first == BACKEND_INDEXES ||
		     build->old.until[index] < build->old.until[first]))
			first = index;
	}
	return first;
}

/* An index for a new backend. Returns its row, or NULL if all are taken. */
static struct backend *backend_place(struct build *build)
{
	__u32 index = index_free(build), last;

	if (index == BACKEND_INDEXES)
		index = index_removing(build);
	if (index == BACKEND_INDEXES)
		return NULL;
	/* Never gives an id twice, nor 0. */
	last = build->old.backends[index].id;
	build->backends[index].id =
		((last ? last : index) + BACKEND_INDEXES) & FLOW_BACKEND;
	count_reset(build, index);
	return &build->backends[index];
}

static int backend_add(struct build *build, const struct service *service,
		       const struct config_service *of,
		       const struct config_backend *from,
		       struct fault *fault_out)
{
	struct backend *old, *new;

	old = running_backend(&build->old, service->id, &from->address);
	if (old) {
		new = &build->backends[old->id % BACKEND_INDEXES];
		new->id = old->id;
	} else {
		new = backend_place(build);
		if (!new)
			return fault(fault_out,
				     "cannot add a backend: all %d indexes "
				     "are taken",
				     BACKEND_INDEXES);
	}
	new->address = from->address;
	new->service = service->id;
	new->weight = from->weight;
	new->override = from->override & 3;
	new->mtu = from->mtu;
	new->port = from->port;
	new->drain = from->drain;
	new->finding = finding_of(build->config, of, from, old) & 7;
	build->indices[build->placed++] = (__u16)(new->id % BACKEND_INDEXES);
	return 0;
}

/* How large the table is; where it lies, slots.c decides. 0, or -1 with errno.
 */
static int table_size(struct build *build, const struct config_service *from,
		      const __u16 *indices, struct service *new)
{
	size_t count;
	struct table_backend *list;

	/* Also where no backend takes new flows: for those that there are. */
	if (from->flows == FLOWS_SECOND_CHANCE) {
		new->forgets = 1;
		new->owners = owners_differ(from, indices, build->backends);
		new->table_size = from->table_size;
		return 0;
	}
	list = order_backends(from, indices, build->backends, &count);
	if (!list)
		return -1;
	if (!count && from->on_all_down == ALL_DOWN_PASS)
		new->table_first = NO_TABLE_PASS;
	if (count)
		new->table_size = order_slots(from->scheduler, from->table_size,
					      list, count);
	free(list);
	return 0;
}

/* Assigns ids and indexes; no tables yet. */
static int services_add(struct build *build, struct fault *fault_out)
{
	const struct config_service *from = build->config->services;
	const struct running_service *old;
	const __u16 *indices;
	size_t i, j;

	for (i = 0; i < build->config->service_count; i++, from++) {
		struct service *new = &build->services[i];

		old = running_service_for(&build->old, from);
		new->id = old ? old->service.id : ++build->service_id;
		new->scheduler = from->scheduler;
		new->method = from->method;
		new->rr_turn = (__u16)i;
		new->apart = from->scheduler == SCHEDULER_WORKERS;
		for (j = 0; j < from->backend_count; j++) {
			if (backend_add(build, new, from, &from->backends[j],
					fault_out))
				return -1;
		}
		indices = build->indices + build->placed - from->backend_count;
		states_set(from, indices, build->backends);
		if (table_size(build, from, indices, new))
			return fault(fault_out, "cannot size a table: %s",
				     strerror(errno));
	}
	return 0;
}

/*
 * Adds a service, the mark of its VIP (several services may add the same one),
 * and the service again by its `release` port (0: none), and as the one for
 * fragments without ports. Returns the end.
 */
static struct service_cell *entries_add(struct service_cell *next,
					const struct running_service *row,
					__be16 release)
{
	next->key = row->key;
	next->service = row->service;
	next->protocol = row->key.protocol;
	next->port_mask = row->by_address ? 0 : 0xffff;
	next++;
	if (release) {
		*next = next[-1];
		next->key = (struct service_key){.port = release,
						 .protocol = PROTOCOL_RELEASE};
		next++;
	}
	if (row->by_address) {
		*next = next[-1];
		next->key.port = (FORCE __be16)PORT_UNKNOWN;
		next++->key.protocol = IPPROTO_FRAGMENT;
	}
	next->service.removing = row->service.removing;
	next++->key.vip = row->key.vip;
	return next;
}

/*
 * Services of the file come before those that were removed from it, and of
 * these the one that stays longest comes first: for equal keys, the first
 * counts. *count: of entries.
 */
static struct service_cell *entries_of(const struct build *build, size_t *count)
{
	const struct config_service *from = build->config->services;
	size_t services = build->config->service_count, i;
	struct service_cell *entries =
		calloc(4 * (services + build->left_count), sizeof(*entries));
	struct service_cell *next = entries;
	struct running_service row;

	for (i = 0; entries && i < services; i++, from++) {
		row = (struct running_service){service_key_of(from),
					       build->services[i],
					       from->by_address};
		next = entries_add(next, &row, from->release);
	}
	for (i = 0; entries && i < build->left_count; i++)
		next = entries_add(next, &build->left[i].service, 0);
	*count = (size_t)(next - entries);
	return entries;
}

static void vips_mark(struct generation *generation,
		      const struct service_cell *entries, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		__u32 bit = service_table_bit(
			hash_destination(&entries[i].key.vip));

		if (entries[i].key.protocol == PROTOCOL_RELEASE)
			continue;
		generation->vips[bit / 64] |= 1ULL << bit % 64;
	}
}

static int services_write(struct build *build, struct fault *fault_out)
{
	size_t count;
	struct service_cell *entries = entries_of(build, &count);
	struct service_cells *cells;
	struct part part;
	int rc = -1;

	cells = part_open(&part, build->kernel, "services",
			  build->generation_index, PROT_READ | PROT_WRITE);
	if (!entries || !cells) {
		fault(fault_out, "cannot write the services: %s",
		      strerror(errno));
	} else if (service_table_fill(cells->at, entries, count,
				      &build->generation->services_seed)) {
		fault(fault_out, "cannot place %zu services in the table",
		      build->config->service_count + build->left_count);
	} else {
		vips_mark(build->generation, entries, count);
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

	rows = part_open(&part, build->kernel, "backends",
			 build->generation_index, PROT_READ | PROT_WRITE);
	if (!rows)
		return fault(fault_out, "cannot write the backends: %s",
			     strerror(errno));
	for (i = 0; i < BACKEND_INDEXES; i++) {
		/*
		 * Keep the last id of an empty index, so that it is never given
		 * again.
		 */
		if (build->backends[i].state == BACKEND_ABSENT)
			build->backends[i].id = build->old.backends[i].id;
		rows->at[i] = build->backends[i];
		rows->until[i] = build->until[i];
	}
	since_write(build, rows);
	for (i = 0; i < build->config->service_count; i++) {
		const __u16 turn = build->services[i].rr_turn;

		rows->table_inputs[turn] = build->table_inputs[i];
		rows->moved[turn] = build->moved[i];
	}
	part_close(&part);
	return 0;
}

/* The source of `ipip` packets, if the file has one. */
static void outer_set(struct generation *generation,
		      const struct config *config)
{
	const struct prefix *source = config->outer_sources;
	size_t i;

	for (i = 0; i < config->outer_source_count; i++, source++)
		generation->outer_source[!addr_is_v4(&source->address)] =
			*source;
}

/* The last id that was given: no new service gets the id of an earlier one. */
static int id_keep(const struct build *build, struct fault *fault_out)
{
	if (!control_set(build->kernel, CONTROL_SERVICE_ID, build->service_id))
		return 0;
	return fault(fault_out, "cannot write control: %s", strerror(errno));
}

/* What a build needs besides what runs. Returns 0, or -1 with a fault. */
static int build_reserve(struct build *build, struct fault *fault_out)
{
	size_t count = build->config->service_count;

	build->services = calloc(count, sizeof(struct service));
	build->backends = calloc(BACKEND_INDEXES, sizeof(struct backend));
	build->until = calloc(BACKEND_INDEXES, sizeof(*build->until));
	build->indices = calloc(MAX_BACKENDS, sizeof(*build->indices));
	build->left = calloc(MOST_SERVICES, sizeof(*build->left));
	build->moved = calloc(count, sizeof(*build->moved));
	build->table_inputs = calloc(count, sizeof(*build->table_inputs));
	if (!build->services || !build->backends || !build->until ||
	    !build->indices || !build->left || !build->moved ||
	    !build->table_inputs)
		return fault(fault_out, "cannot build a generation: %s",
			     strerror(ENOMEM));
	if (jiffies_now(build->kernel, &build->now))
		return fault(fault_out, "cannot read the kernel's clock: %s",
			     strerror(errno));
	return 0;
}

static void build_free(struct build *build)
{
	free(build->services);
	free(build->backends);
	free(build->until);
	free(build->indices);
	free(build->left);
	free(build->moved);
	free(build->table_inputs);
}

int lbr_build(struct kernel *kernel, const struct config *config, __u32 index,
	      struct generation *generation, struct fault *fault_out)
{
	struct build build = {.kernel = kernel,
			      .config = config,
			      .generation_index = index,
			      .generation = generation};
	int rc = -1;
	char why[64];

	if (running_before(kernel, &build.old, fault_out))
		return -1;
	outer_set(generation, config);
	generation->next_hops_by_flow = routes_by_flow(why, sizeof(why));
	build.service_id = control_get(kernel, CONTROL_SERVICE_ID);
	if (!build_reserve(&build, fault_out) &&
	    !step_check(&build, fault_out) &&
	    !services_add(&build, fault_out) &&
	    !removing_keep(&build, fault_out) &&
	    !tables_write(&build, fault_out) &&
	    !services_write(&build, fault_out) &&
	    !backends_write(&build, fault_out) &&
	    !workers_write(&build, fault_out) &&
	    !file_keep(kernel, config, generation, fault_out))
		rc = id_keep(&build, fault_out);
	build_free(&build);
	if (!kernel->running)
		running_free(&build.old);
	return rc;
}
