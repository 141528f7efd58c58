// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"

static int by_key(const void *a, const void *b)
{
	const struct running_service *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

static int by_id(const void *a, const void *b)
{
	const struct running_service *x = *(struct running_service *const *)a;
	const struct running_service *y = *(struct running_service *const *)b;

	return x->service.id < y->service.id ? -1
					     : x->service.id > y->service.id;
}

static int by_service(const void *a, const void *b)
{
	const struct backend *x = *(struct backend *const *)a;
	const struct backend *y = *(struct backend *const *)b;

	if (x->service != y->service)
		return x->service < y->service ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof(x->address));
}

/* Each service once, without the marks of VIPs. */
static int services_read(const struct kernel *kernel, __u32 index,
			 struct running *running)
{
	struct part part;
	const struct service_cells *cells =
		part_open(&part, kernel, "services", index, PROT_READ);
	struct running_service row, *new;
	size_t i;

	for (i = 0; cells && i < SERVICE_CELLS; i++) {
		if (!running_cell(&cells->at[i], &row))
			continue;
		new = running_add(running);
		if (!new)
			break;
		*new = row;
	}
	part_close(&part);
	return cells ? 0 : -1;
}

static int backends_read(const struct kernel *kernel, __u32 index,
			 struct running *running)
{
	struct part part;
	const struct backend_rows *rows =
		part_open(&part, kernel, "backends", index, PROT_READ);

	if (rows) {
		running_rows(running, rows->at, rows->until, rows->since,
			     rows->service_since);
		memcpy(running->table_inputs, rows->table_inputs,
		       sizeof(rows->table_inputs));
		memcpy(running->moved, rows->moved, sizeof(rows->moved));
	}
	part_close(&part);
	return rows ? 0 : -1;
}

int running_begin(struct running *running)
{
	memset(running, 0, sizeof(*running));
	running->services = calloc(MOST_SERVICES, sizeof(*running->services));
	running->by_id = calloc(MOST_SERVICES, sizeof(*running->by_id));
	running->backends = calloc(BACKEND_INDEXES, sizeof(struct backend));
	running->until = calloc(BACKEND_INDEXES, sizeof(*running->until));
	running->since = calloc(BACKEND_INDEXES, sizeof(*running->since));
	running->service_since =
		calloc(MAX_SERVICES, sizeof(*running->service_since));
	running->table_inputs =
		calloc(MAX_SERVICES, sizeof(*running->table_inputs));
	running->moved = calloc(MAX_SERVICES, sizeof(*running->moved));
	running->by_address = calloc(BACKEND_INDEXES, sizeof(struct backend *));
	return running->services && running->by_id && running->backends &&
			       running->until && running->since &&
			       running->service_since &&
			       running->table_inputs && running->moved &&
			       running->by_address
		       ? 0
		       : -1;
}

struct running_service *running_add(struct running *running)
{
	if (running->service_count == MOST_SERVICES)
		return NULL;
	return &running->services[running->service_count++];
}

void running_sort(struct running *running)
{
	size_t i;

	qsort(running->services, running->service_count,
	      sizeof(*running->services), by_key);
	for (i = 0; i < running->service_count; i++)
		running->by_id[i] = &running->services[i];
	qsort(running->by_id, running->service_count, sizeof(*running->by_id),
	      by_id);
	for (i = 0; i < BACKEND_INDEXES; i++) {
		if (running->backends[i].state != BACKEND_ABSENT)
			running->by_address[running->backend_count++] =
				&running->backends[i];
	}
	qsort(running->by_address, running->backend_count,
	      sizeof(*running->by_address), by_service);
}

int running_read(const struct kernel *kernel, __u32 index,
		 struct running *running, struct fault *fault_out)
{
	int rc = running_begin(running);

	if (!rc && index == NO_GENERATION)
		return 0;
	rc = rc ?: generation_read(kernel, index, &running->generation);
	rc = rc ?: services_read(kernel, index, running);
	rc = rc ?: backends_read(kernel, index, running);
	if (!rc) {
		running_sort(running);
		return 0;
	}
	running_free(running);
	return fault(fault_out, "cannot read what runs: %s", strerror(errno));
}

void running_free(struct running *running)
{
	free(running->services);
	free(running->by_id);
	free(running->backends);
	free(running->until);
	free(running->since);
	free(running->service_since);
	free(running->table_inputs);
	free(running->moved);
	free(running->by_address);
	memset(running, 0, sizeof(*running));
}

const struct running_service *running_service(const struct running *running,
					      const struct service_key *key)
{
	struct running_service wanted = {.key = *key};

	if (!running->service_count)
		return NULL;
	return bsearch(&wanted, running->services, running->service_count,
		       sizeof(wanted), by_key);
}

const struct running_service *
running_service_for(const struct running *running,
		    const struct config_service *service)
{
	struct service_key key = service_key_of(service);

	return running_service(running, &key);
}

const struct running_service *running_service_of(const struct running *running,
						 __u32 id)
{
	struct running_service wanted = {.service.id = id};
	struct running_service *key = &wanted, **found;

	if (!running->service_count)
		return NULL;
	found = bsearch(&key, running->by_id, running->service_count,
			sizeof(key), by_id);
	return found ? *found : NULL;
}

__u64 running_until(const struct running *running,
		    const struct running_service *service)
{
	__u16 removing = service->service.removing;

	return removing ? running->until[(removing - 1) % BACKEND_INDEXES] : 0;
}

struct backend *running_backend(const struct running *running, __u32 service,
				const struct addr *address)
{
	struct backend wanted = {.address = *address, .service = service};
	struct backend *key = &wanted, **found;

	if (!running->backend_count)
		return NULL;
	found = bsearch(&key, running->by_address, running->backend_count,
			sizeof(key), by_service);
	return found ? *found : NULL;
}

void running_range(const struct running *running, __u32 service, size_t *first,
		   size_t *end)
{
	size_t low = 0, high = running->backend_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (running->by_address[middle]->service < service)
			low = middle + 1;
		else
			high = middle;
	}
	*first = low;
	while (low < running->backend_count &&
	       running->by_address[low]->service == service)
		low++;
	*end = low;
}

struct backend_count *running_counts(const struct kernel *kernel,
				     const struct running *running)
{
	int map = kernel_map(kernel, "backend_counts"), cpu;
	int cpus = kernel_cpus();
	struct backend_count *each = calloc((size_t)cpus, sizeof(*each));
	struct backend_count *counts, *sum;
	__u32 key;
	size_t i;

	counts = calloc(BACKEND_INDEXES, sizeof(*counts));
	for (i = 0; each && counts && i < running->backend_count; i++) {
		key = running->by_address[i]->id % BACKEND_INDEXES;
		sum = &counts[key];
		if (bpf_map_lookup_elem(map, &key, each))
			continue;
		for (cpu = 0; cpu < cpus; cpu++) {
			sum->packets += each[cpu].packets;
			sum->bytes += each[cpu].bytes;
			sum->flows += each[cpu].flows;
		}
	}
	free(each);
	if (map >= 0)
		close(map);
	return counts;
}
