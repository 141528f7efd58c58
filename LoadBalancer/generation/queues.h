/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * queues.h - the maps of services of `scheduler: workers`, and their queues
 */
#pragma once

#include <linux/types.h>

struct config;
struct kernel;

/* The maps, as file descriptors. */
struct pool_maps {
	int pools, states, workers, queues;
};

/*
 * Returns 0, or -1 with errno; pool_maps_close() is due in every case.
 */
int pool_maps_open(struct pool_maps *maps, const struct kernel *kernel);
void pool_maps_close(const struct pool_maps *maps);

/*
 * How many requests may wait for the service of this id (struct service.id); 0:
 * it has no queue. `queues`: fd of the map.
 */
__u32 workers_queue_size(int queues, __u32 service);
/* Milliseconds that the oldest request in it has waited; 0: none waits. */
__u64 workers_queue_age(int queues, __u32 service);
/* A new queue for it. Returns 0, or -1 with errno. */
int workers_queue_make(const struct pool_maps *maps, __u32 service, __u32 size);

/*
 * After the switch to a generation: gives the queues the sizes that the file
 * says, and removes what belongs to services and backends that are gone. What
 * waits for such a service is lost, and counted as `queue_lost`.
 */
void workers_settle(struct kernel *kernel, const struct config *config);
