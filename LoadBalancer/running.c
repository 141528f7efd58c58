// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/running.h"

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

/* Without the marks of VIPs. */
static int services_read(int map, struct running *running)
{
	size_t size, place, i;
	const struct directory_entry *entries = map_open(map, PROT_READ, &size);
	struct running_service *row;

	running->services = calloc(MAX_SERVICES, sizeof(*running->services));
	for (place = 0;
	     running->services && entries && place < DIRECTORY_PLACES;
	     place++) {
		if (!entries[place].used || !entries[place].key.protocol)
			continue;
		row = &running->services[running->service_count++];
		row->key = entries[place].key;
		row->service = entries[place].service;
	}
	if (entries)
		munmap((void *)entries, size);
	if (!running->services || !entries)
		return -1;
	qsort(running->services, running->service_count,
	      sizeof(*running->services), by_key);
	running->by_id =
		calloc(running->service_count + 1, sizeof(*running->by_id));
	for (i = 0; running->by_id && i < running->service_count; i++)
		running->by_id[i] = &running->services[i];
	if (running->by_id)
		qsort(running->by_id, running->service_count,
		      sizeof(*running->by_id), by_id);
	return running->by_id ? 0 : -1;
}

static int backends_read(int map, struct running *running)
{
	__u32 *keys = calloc(BACKEND_SLOTS, sizeof(*keys)), batch;
	__u32 count = BACKEND_SLOTS, i;
	int rc = -1;

	if (keys) {
		rc = bpf_map_lookup_batch(map, NULL, &batch, keys,
					  running->backends, &count, NULL);
		if (rc && errno == ENOENT && count == BACKEND_SLOTS)
			rc = 0; /* all of them, and that there are no more */
	}
	free(keys);
	for (i = 0; !rc && i < BACKEND_SLOTS; i++) {
		if (running->backends[i].state != BACKEND_ABSENT)
			running->by_address[running->backend_count++] =
				&running->backends[i];
	}
	qsort(running->by_address, running->backend_count,
	      sizeof(*running->by_address), by_service);
	return rc;
}

int running_read(const struct kernel *kernel, __u32 slot,
		 struct running *running, struct fault *fault_out)
{
	int services = -1, backends = -1, rc = -1;

	memset(running, 0, sizeof(*running));
	running->backends = calloc(BACKEND_SLOTS, sizeof(struct backend));
	running->by_address = calloc(BACKEND_SLOTS, sizeof(struct backend *));
	if (!running->backends || !running->by_address)
		goto out;
	if (slot == NO_SLOT)
		return 0;
	services = kernel_inner(kernel, "services", slot);
	backends = kernel_inner(kernel, "backends", slot);
	if (services < 0 || backends < 0 ||
	    generation_read(kernel, slot, &running->generation))
		goto out;
	rc = services_read(services, running)
		     ?: backends_read(backends, running);
out:
	if (services >= 0)
		close(services);
	if (backends >= 0)
		close(backends);
	if (!rc)
		return 0;
	running_free(running);
	return fault(fault_out, "cannot read what runs: %s", strerror(errno));
}

void running_free(struct running *running)
{
	free(running->services);
	free(running->by_id);
	free(running->backends);
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
