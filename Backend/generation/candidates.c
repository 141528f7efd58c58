// SPDX-License-Identifier: GPL-2.0-only
/*
 * candidates.c - write who may have the flows of a service in transition
 *
 * Such a service has a list for each slot in the map `lists`, and its backends,
 * by address, in the map `peers`. Services with the same backends and weights
 * share them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "common/config/transition.h"
#include "common/core/abi_services.h"
#include "common/core/hash.h"
#include "common/kernel/generation.h"
#include "common/tables/candidates.h"

static bool is_here(const struct config_service *service,
		    const struct addr *own, int own_count)
{
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		if (is_own(&service->backends[i].address, own, own_count))
			return true;
	}
	return false;
}

static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

/* In memory order of their addresses, whatever their order in the file. */
static struct candidate *candidates_sorted(const struct config_service *service)
{
	struct candidate *backends = candidates_of(service);

	if (backends)
		qsort(backends, service->backend_count, sizeof(*backends),
		      by_address);
	return backends;
}

/* The same for any order of the backends; not 0. */
static __u32 pool_name(const struct config_service *service,
		       const struct candidate *backends)
{
	__u64 sum = hash_mix(5, (__u64)service->table_size << 32 |
					size_before(service));
	size_t i;

	sum = hash_mix(sum, (__u64)service->chance << 16 |
				    (__u64)service->scheduler << 8 |
				    scheduler_before(service));
	for (i = 0; i < service->backend_count; i++)
		sum += hash_mix(hash_addr(4, &backends[i].address),
				(__u64)backends[i].before << 16 |
					backends[i].after);
	return (__u32)(sum >> 32) | 1;
}

/* Do two services have the same lists? */
static bool is_shared(const struct config_service *a,
		      const struct config_service *b)
{
	struct candidate *x, *y;
	bool same;

	if (a->table_size != b->table_size ||
	    size_before(a) != size_before(b) ||
	    table_changes(a) != table_changes(b) || a->chance != b->chance ||
	    a->backend_count != b->backend_count)
		return false;
	x = candidates_sorted(a);
	y = candidates_sorted(b);
	same = x && y && !memcmp(x, y, a->backend_count * sizeof(*x));
	free(x);
	free(y);
	return same;
}

/* Finds the part of an earlier service with the same backends and weights. */
static bool region_share(const struct config *config,
			 struct candidate_region *regions, size_t number)
{
	size_t i;

	for (i = 0; i < number; i++) {
		if (regions[i].pool != regions[number].pool ||
		    !regions[i].is_first ||
		    !is_shared(&config->services[i], &config->services[number]))
			continue;
		regions[number] = regions[i];
		regions[number].is_first = false;
		return true;
	}
	return false;
}

/*
 * Where each service's part begins. *lists and *peers: how many in all. 0, or
 * -1 without memory.
 */
static int regions_assign(const struct config *config, const struct addr *own,
			  int own_count, struct candidate_region *regions,
			  __u32 *lists, __u32 *peers)
{
	const struct config_service *service = config->services;
	struct candidate *backends;
	size_t i;

	for (i = 0; i < config->service_count; i++, service++) {
		if (!has_second_chance(service) ||
		    !is_here(service, own, own_count))
			continue;
		backends = candidates_of(service);
		if (!backends)
			return -1;
		regions[i].pool = pool_name(service, backends);
		free(backends);
		if (region_share(config, regions, i))
			continue;
		regions[i].is_first = true;
		regions[i].table_size = service->table_size;
		regions[i].was_size =
			table_changes(service) ? size_before(service) : 0;
		regions[i].lists_first = *lists;
		regions[i].peers_first = *peers;
		regions[i].standing = service->chance == CHANCE_ALWAYS;
		*lists += service->table_size + regions[i].was_size;
		if (regions[i].standing)
			*lists += STANDING_BITS(service->table_size);
		*peers += (__u32)service->backend_count;
	}
	return 0;
}

__u16 candidate_number(const struct candidate_region *region,
		       const struct config_service *service,
		       const struct addr *address)
{
	__u32 number = region->peers_first;
	size_t i;

	for (i = 0; i < service->backend_count; i++)
		number +=
			by_address(&service->backends[i].address, address) < 0;
	return (__u16)number;
}

/* Writes one service's part. 0, or -1 with errno. */
static int fill(const struct config_service *service,
		const struct candidate_region *region, struct candidates *lists,
		struct addr *peers)
{
	struct candidate *backends = candidates_sorted(service);
	__u32 cut, slot;
	size_t i;
	int rc;

	if (!backends)
		return -1;
	lists += region->lists_first;
	rc = candidates_fill(region->table_size, backends,
			     service->backend_count, lists, &cut);
	if (!rc && region->standing)
		rc = candidates_stand(region->table_size, backends,
				      service->backend_count, lists,
				      (__u64 *)(lists + region->table_size +
						region->was_size));
	if (!rc && region->was_size)
		rc = candidates_fill(region->was_size, backends,
				     service->backend_count,
				     lists + region->table_size, &cut);
	for (slot = 0; !rc && slot < region->table_size + region->was_size;
	     slot++) {
		for (i = 0; i < MOST_CANDIDATES; i++) {
			if (lists[slot].at[i] != NO_CANDIDATE)
				lists[slot].at[i] += region->peers_first;
		}
	}
	for (i = 0; i < service->backend_count; i++)
		peers[region->peers_first + i] = backends[i].address;
	free(backends);
	return rc;
}

static int fill_all(const struct config *config,
		    struct candidate_region *regions, int lists_fd,
		    int peers_fd)
{
	size_t lists_size, peers_size, i;
	struct candidates *lists =
		map_open(lists_fd, PROT_READ | PROT_WRITE, &lists_size);
	struct addr *peers =
		map_open(peers_fd, PROT_READ | PROT_WRITE, &peers_size);
	int rc = lists && peers ? 0 : -1;

	for (i = 0; !rc && i < config->service_count; i++) {
		if (regions[i].is_first)
			rc = fill(&config->services[i], &regions[i], lists,
				  peers);
	}
	if (lists)
		munmap(lists, lists_size);
	if (peers)
		munmap(peers, peers_size);
	return rc;
}

int candidates_write(struct kernel *kernel, const struct config *config,
		     const struct addr *own, int own_count, __u32 index,
		     struct candidate_region **regions, struct fault *fault_out)
{
	__u32 list_count = 0, peer_count = 0;
	int lists, peers = -1, rc = -1;

	*regions = calloc(config->service_count, sizeof(**regions));
	if (!*regions)
		return fault(fault_out, "cannot build a generation: %s",
			     strerror(errno));
	if (regions_assign(config, own, own_count, *regions, &list_count,
			   &peer_count))
		return fault(fault_out, "cannot build a generation: %s",
			     strerror(errno));
	lists = inner_take(kernel, "lists", index, list_count ?: 1, fault_out);
	if (lists >= 0)
		peers = inner_take(kernel, "peers", index, peer_count ?: 1,
				   fault_out);
	if (peers >= 0)
		rc = fill_all(config, *regions, lists, peers);
	if (peers >= 0 && rc)
		fault(fault_out, "cannot write the candidates: %s",
		      strerror(errno));
	if (lists >= 0)
		close(lists);
	if (peers >= 0)
		close(peers);
	return rc;
}
