// SPDX-License-Identifier: GPL-2.0-only
/*
 * show_workers.c - the threads of `scheduler: workers`, and what waits for them
 */
#include <bpf/bpf.h>
#include <unistd.h>

#include "LoadBalancer/generation/queues.h"
#include "LoadBalancer/verbs/show.h"
#include "common/base/json.h"
#include "common/core/abi_workers.h"
#include "common/core/schedulers/workers.h"
#include "common/kernel/generation.h"
#include "common/net/netlink.h"

/* False: it is no service of workers. */
static bool pool_read(int pools, __u32 generation, __u32 service,
		      struct workers_pool *pool)
{
	const struct pool_key key = {generation, service};

	return !bpf_map_lookup_elem(pools, &key, pool);
}

static json_t *workers_row(const struct running_service *service,
			   const struct backend *backend,
			   const struct workers *workers, __u32 threads,
			   __u64 now)
{
	__u32 free = workers_free(workers, threads, now);
	__u32 busy = MAX_THREADS - workers_free(workers, MAX_THREADS, now);

	return json_pack("{s:o, s:o, s:s, s:o, s:I, s:I, s:I, s:I}", "vip",
			 json_addr(&service->key.vip), "port",
			 json_port(service->key.port), "protocol",
			 protocol_name(service->key.protocol), "backend",
			 json_addr(&backend->address), "threads",
			 (json_int_t)threads, "free", (json_int_t)free, "busy",
			 (json_int_t)busy, "given-up",
			 (json_int_t)workers->given_up);
}

json_t *workers_rows(const struct kernel *kernel, const struct show *show)
{
	int map = kernel_map(kernel, "workers");
	int pools = kernel_map(kernel, "pools");
	const struct running *running = &show->running;
	const __u32 generation = generation_current(kernel);
	json_t *rows = json_array();
	struct workers workers;
	struct workers_pool pool;
	__u64 now = 0;
	size_t i;

	jiffies_now(kernel, &now);
	for (i = 0; i < running->backend_count; i++) {
		const struct backend *backend = running->by_address[i];
		const struct workers_key key = {backend->address,
						backend->service};
		const struct running_service *service =
			running_service_of(running, backend->service);

		if (!service ||
		    !pool_read(pools, generation, backend->service, &pool) ||
		    bpf_map_lookup_elem(map, &key, &workers))
			continue;
		json_array_append_new(rows,
				      workers_row(service, backend, &workers,
						  pool.threads, now));
	}
	if (map >= 0)
		close(map);
	if (pools >= 0)
		close(pools);
	return rows;
}

static json_t *queue_row(const struct running_service *service,
			 const struct pool_state *state, __u32 size)
{
	const __u64 *counts = state->counts;

	return json_pack(
		"{s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
		"vip", json_addr(&service->key.vip), "port",
		json_port(service->key.port), "protocol",
		protocol_name(service->key.protocol), "queued",
		(json_int_t)state->queued, "size", (json_int_t)size, "sent",
		(json_int_t)counts[POOL_SENT], "from-queue",
		(json_int_t)counts[POOL_FROM_QUEUE], "waited-ms",
		(json_int_t)(state->waited / 1000000), "done",
		(json_int_t)counts[POOL_DONE], "expired",
		(json_int_t)counts[POOL_EXPIRED], "too-small",
		(json_int_t)counts[POOL_SMALL]);
}

static void waits_add(const struct running_service *service,
		      const struct pool_state *state, json_t *rows)
{
	__u32 i;

	for (i = 0; i < WORKER_WAITS; i++)
		json_array_append_new(
			rows,
			json_pack(
				"{s:o, s:o, s:s, s:o, s:I}", "vip",
				json_addr(&service->key.vip), "port",
				json_port(service->key.port), "protocol",
				protocol_name(service->key.protocol),
				"at-most-ms",
				i == WORKER_WAITS - 1
					? json_null()
					: json_integer((
						  json_int_t)(workers_wait_limit(
								      i) /
							      1000000)),
				"count", (json_int_t)state->waits[i]));
}

/* For each service of workers: its queue, or how long requests have waited. */
static json_t *states_rows(const struct kernel *kernel, const struct show *show,
			   bool is_waits)
{
	int map = kernel_map(kernel, "pool_states");
	int queues = kernel_map(kernel, "queues");
	const struct running *running = &show->running;
	json_t *rows = json_array();
	struct pool_state state;
	size_t i;

	for (i = 0; i < running->service_count; i++) {
		const struct running_service *service = &running->services[i];

		if (service->service.scheduler != SCHEDULER_WORKERS ||
		    bpf_map_lookup_elem(map, &service->service.id, &state))
			continue;
		if (is_waits)
			waits_add(service, &state, rows);
		else
			json_array_append_new(
				rows, queue_row(service, &state,
						workers_queue_size(
							queues,
							service->service.id)));
	}
	if (map >= 0)
		close(map);
	if (queues >= 0)
		close(queues);
	return rows;
}

json_t *queues_rows(const struct kernel *kernel, const struct show *show)
{
	return states_rows(kernel, show, false);
}

json_t *waits_rows(const struct kernel *kernel, const struct show *show)
{
	return states_rows(kernel, show, true);
}

bool workers_are_there(const struct kernel *kernel)
{
	struct generation generation;
	__u32 index = generation_current(kernel);

	return index != NO_GENERATION &&
	       !generation_read(kernel, index, &generation) &&
	       generation.releases;
}
