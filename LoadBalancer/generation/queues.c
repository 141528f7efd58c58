// SPDX-License-Identifier: GPL-2.0-only
/*
 * queues.c - see queues.h
 *
 * A queue, the threads of a backend and what was counted outlive generations.
 * So nothing of them is removed or moved while a generation is built, which may
 * yet be refused, but after the switch.
 */
#include "LoadBalancer/generation/queues.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_workers.h"
#include "common/core/reason.h"
#include "common/core/schedulers/workers.h"
#include "common/kernel/kernel.h"

int pool_maps_open(struct pool_maps *maps, const struct kernel *kernel)
{
	maps->pools = kernel_map(kernel, "pools");
	maps->states = kernel_map(kernel, "pool_states");
	maps->workers = kernel_map(kernel, "workers");
	maps->queues = kernel_map(kernel, "queues");
	return maps->pools < 0 || maps->states < 0 || maps->workers < 0 ||
			       maps->queues < 0
		       ? -1
		       : 0;
}

void pool_maps_close(const struct pool_maps *maps)
{
	const int fds[] = {maps->pools, maps->states, maps->workers,
			   maps->queues};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* fd of the service's queue, or -1. */
static int queue_open(int queues, __u32 service)
{
	__u32 id;

	if (bpf_map_lookup_elem(queues, &service, &id))
		return -1;
	return bpf_map_get_fd_by_id(id);
}

__u32 workers_queue_size(int queues, __u32 service)
{
	int queue = queue_open(queues, service);
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	if (queue < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(queue, &info, &length))
		info.max_entries = 0;
	close(queue);
	return info.max_entries;
}

__u64 workers_queue_age(int queues, __u32 service)
{
	int queue = queue_open(queues, service);
	struct queued request;
	struct timespec now;
	__u64 ns = 0;

	if (queue < 0)
		return 0;
	/* Of a queue, a lookup reads the oldest entry, and leaves it. */
	if (!bpf_map_lookup_elem(queue, NULL, &request)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = (__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec;
		ns -= request.since < ns ? request.since : ns;
	}
	close(queue);
	return ns / 1000000;
}

static int queue_create(__u32 size)
{
	return bpf_map_create(BPF_MAP_TYPE_QUEUE, "queue", 0,
			      sizeof(struct queued), size, NULL);
}

/* Programs that may see the one before have ended when this returns. */
static int queue_place(const struct pool_maps *maps, __u32 service, int queue)
{
	return bpf_map_update_elem(maps->queues, &service, &queue, BPF_ANY);
}

int workers_queue_make(const struct pool_maps *maps, __u32 service, __u32 size)
{
	int queue = queue_create(size), rc;

	if (queue < 0)
		return -1;
	rc = queue_place(maps, service, queue);
	close(queue);
	return rc ? -1 : 0;
}

/* At most `most` requests, the oldest first. Returns how many did not fit. */
static size_t queue_move(int from, int to, size_t most)
{
	static const struct timespec moment = {0, 1000 * 1000};
	struct queued request;
	int rc, left = 1000;
	size_t lost = 0;

	while (most-- > 0 &&
	       !bpf_map_lookup_and_delete_elem(from, NULL, &request)) {
		rc = bpf_map_update_elem(to, NULL, &request, BPF_ANY);
		/* Full of requests that came after these. */
		while (rc && left-- > 0) {
			nanosleep(&moment, NULL);
			rc = bpf_map_update_elem(to, NULL, &request, BPF_ANY);
		}
		lost += rc != 0;
	}
	return lost;
}

/*
 * Adds to a reason that no program counts: each CPU's value is its own
 * otherwise.
 */
static void lost_count(const struct kernel *kernel, size_t lost)
{
	__u64 *values = calloc((size_t)kernel_cpus(), sizeof(*values));
	int map = kernel_map(kernel, "reasons");
	__u32 reason = REASON_queue_lost;

	if (values && map >= 0 && !bpf_map_lookup_elem(map, &reason, values)) {
		values[0] += lost;
		bpf_map_update_elem(map, &reason, values, BPF_ANY);
	}
	if (map >= 0)
		close(map);
	free(values);
	printf("waiting requests that are lost: %zu\n", lost);
}

/*
 * Requests go on coming and going meanwhile. Those that come before the other
 * queue is in place go into the one before, and are moved in their order; those
 * that leave before may overtake some that were moved.
 */
static void queue_resize(const struct kernel *kernel,
			 const struct pool_maps *maps, __u32 service,
			 __u32 size)
{
	int old = queue_open(maps->queues, service), new;
	size_t lost;

	new = queue_create(size);
	if (old >= 0 && new >= 0) {
		lost = queue_move(old, new, size);
		if (queue_place(maps, service, new))
			lost += queue_move(new, old, size);
		else
			lost += queue_move(old, new, MAX_QUEUE);
		if (lost)
			lost_count(kernel, lost);
	}
	if (old >= 0)
		close(old);
	if (new >= 0)
		close(new);
}

static void queues_resize(const struct kernel *kernel,
			  const struct pool_maps *maps,
			  const struct config *config,
			  const struct running *running)
{
	const struct config_service *from = config->services;
	const struct running_service *service;
	__u32 size;
	size_t i;

	for (i = 0; i < config->service_count; i++, from++) {
		service = running_service_for(running, from);
		if (from->scheduler != SCHEDULER_WORKERS || !service)
			continue;
		size = workers_queue_size(maps->queues, service->service.id);
		if (size && size != from->queue)
			queue_resize(kernel, maps, service->service.id,
				     from->queue);
	}
}

/* One that was removed from the file takes no request, and no message. */
static bool is_served(const struct running *running, __u32 service)
{
	const struct running_service *row =
		running_service_of(running, service);

	return row && row->service.scheduler == SCHEDULER_WORKERS &&
	       !row->service.removing;
}

/* Returns how many requests waited in it. */
static size_t queue_remove(const struct pool_maps *maps, __u32 service)
{
	int queue = queue_open(maps->queues, service);
	struct queued request;
	size_t count = 0;

	/* No program sees it any more when this returns. */
	bpf_map_delete_elem(maps->queues, &service);
	while (queue >= 0 &&
	       !bpf_map_lookup_and_delete_elem(queue, NULL, &request))
		count++;
	if (queue >= 0)
		close(queue);
	return count;
}

/* Queues and states of services that are gone. Returns what is lost. */
static size_t states_clean(const struct pool_maps *maps,
			   const struct running *running)
{
	int rc;
	__u32 service, next;
	size_t lost = 0;

	rc = bpf_map_get_next_key(maps->states, NULL, &service);
	while (!rc) {
		rc = bpf_map_get_next_key(maps->states, &service, &next);
		if (!is_served(running, service)) {
			lost += queue_remove(maps, service);
			bpf_map_delete_elem(maps->states, &service);
		}
		service = next;
	}
	return lost;
}

static void pools_clean(const struct pool_maps *maps,
			const struct running *running)
{
	struct pool_key key, next;
	int rc = bpf_map_get_next_key(maps->pools, NULL, &key);

	while (!rc) {
		rc = bpf_map_get_next_key(maps->pools, &key, &next);
		if (!is_served(running, key.service))
			bpf_map_delete_elem(maps->pools, &key);
		key = next;
	}
}

/* A backend that has left still says when it is done with what it had. */
static bool is_working(const struct pool_maps *maps,
		       const struct workers_key *key, __u64 now)
{
	struct workers workers;

	return !bpf_map_lookup_elem(maps->workers, key, &workers) &&
	       workers_free(&workers, MAX_THREADS, now) < MAX_THREADS;
}

static void workers_clean(const struct kernel *kernel,
			  const struct pool_maps *maps,
			  const struct running *running)
{
	struct workers_key key, next;
	int rc = bpf_map_get_next_key(maps->workers, NULL, &key);
	__u64 now = 0;

	if (rc || jiffies_now(kernel, &now))
		return;
	while (!rc) {
		rc = bpf_map_get_next_key(maps->workers, &key, &next);
		if (!is_served(running, key.service) ||
		    (!running_backend(running, key.service, &key.address) &&
		     !is_working(maps, &key, now)))
			bpf_map_delete_elem(maps->workers, &key);
		key = next;
	}
}

void workers_settle(struct kernel *kernel, const struct config *config)
{
	struct pool_maps maps;
	struct running running;
	struct fault said;
	size_t lost;
	__u32 first;

	/* Most hosts have never had such a service. */
	if (pool_maps_open(&maps, kernel) ||
	    bpf_map_get_next_key(maps.states, NULL, &first)) {
		pool_maps_close(&maps);
		return;
	}
	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		fault_warn(&said);
	} else {
		queues_resize(kernel, &maps, config, &running);
		lost = states_clean(&maps, &running);
		if (lost)
			lost_count(kernel, lost);
		pools_clean(&maps, &running);
		workers_clean(kernel, &maps, &running);
		running_free(&running);
	}
	pool_maps_close(&maps);
}
