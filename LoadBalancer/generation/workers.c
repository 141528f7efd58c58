// SPDX-License-Identifier: GPL-2.0-only
/*
 * workers.c - services of `scheduler: workers`: their threads and queues
 *
 * Threads and queues outlive generations: what is busy stays so over `apply`,
 * and who waits goes on waiting. Only what a generation says of them (`pools`)
 * belongs to it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/workers.h"
#include "common/core/abi_workers.h"
#include "common/core/schedulers/workers.h"
#include "common/kernel/kernel.h"

/* The maps, as file descriptors. */
struct pool_maps {
	int pools, states, workers, queues;
};

static int maps_open(struct pool_maps *maps, const struct kernel *kernel)
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

static void maps_close(const struct pool_maps *maps)
{
	const int fds[] = {maps->pools, maps->states, maps->workers,
			   maps->queues};
	size_t i;

	for (i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static bool has_workers(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].scheduler == SCHEDULER_WORKERS)
			return true;
	}
	return false;
}

/* fd of the service's queue, or -1. `queues`: fd of the map. */
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

static void queue_move(int from, int to)
{
	struct queued request;

	while (!bpf_map_lookup_and_delete_elem(from, NULL, &request))
		bpf_map_update_elem(to, NULL, &request, BPF_ANY);
}

/*
 * A queue of this size for the service; the one before only if it is empty, so
 * that nothing is lost or overtaken. Returns 0, or -1 with a fault.
 */
static int queue_make(const struct pool_maps *maps, __u32 service, __u32 size,
		      struct fault *fault_out)
{
	int old = queue_open(maps->queues, service), new, rc = 0;
	struct pool_state state = {0};

	if (old < 0 || workers_queue_size(maps->queues, service) != size) {
		bpf_map_lookup_elem(maps->states, &service, &state);
		if (state.queued) {
			close(old);
			fault(fault_out,
			      "cannot change the queue: %llu requests wait in "
			      "it",
			      (unsigned long long)state.queued);
			return fault_hint(fault_out, "lbr show workers");
		}
		new = bpf_map_create(BPF_MAP_TYPE_QUEUE, "queue", 0,
				     sizeof(struct queued), size, NULL);
		if (new < 0 ||
		    bpf_map_update_elem(maps->queues, &service, &new, BPF_ANY))
			rc = fault(fault_out, "cannot make the queue: %s",
				   strerror(errno));
		else if (old >= 0)
			queue_move(old, new);
		if (new >= 0)
			close(new);
	}
	if (old >= 0)
		close(old);
	return rc;
}

static int pool_write(const struct build *build, const struct pool_maps *maps,
		      const struct config_service *from, __u32 service,
		      struct fault *fault_out)
{
	const struct pool_key key = {build->generation_index, service};
	struct pool_state state = {0};
	struct workers_pool pool = {
		.lease = jiffies_of(from->lease),
		.threads = workers_share(from->threads, from->load_balancers),
		.has_key = *from->release_key != 0,
	};

	memcpy(pool.key, from->release_key, sizeof(pool.key));
	if (bpf_map_update_elem(maps->states, &service, &state, BPF_NOEXIST) &&
	    errno != EEXIST)
		return fault(fault_out, "cannot write workers: %s",
			     strerror(errno));
	if (queue_make(maps, service, from->queue, fault_out))
		return -1;
	if (!bpf_map_update_elem(maps->pools, &key, &pool, BPF_ANY))
		return 0;
	return fault(fault_out, "cannot write workers: %s", strerror(errno));
}

/* Of a backend that is down, whatever it was working on is given up. */
static int give_up(const struct build *build, const struct pool_maps *maps,
		   const struct workers_key *key, struct workers *empty)
{
	struct workers workers;

	if (bpf_map_lookup_elem(maps->workers, key, &workers))
		return -1;
	empty->given_up = workers.given_up + MAX_THREADS -
			  workers_free(&workers, MAX_THREADS, build->now);
	if (empty->given_up == workers.given_up)
		return 0;
	return bpf_map_update_elem(maps->workers, key, empty, BPF_EXIST);
}

/* Has a health check found it down, whatever becomes of flows then? */
static bool is_dead(const struct backend *backend)
{
	return backend->state == BACKEND_DOWN ||
	       backend->finding == FINDING_APPLICATION_DOWN ||
	       backend->finding == FINDING_PATH_DOWN;
}

static int backend_write(const struct build *build,
			 const struct pool_maps *maps,
			 const struct backend *backend)
{
	const struct workers_key key = {backend->address, backend->service};
	const struct backend *old =
		&build->old.backends[backend->id % BACKEND_INDEXES];
	struct workers empty = {.backend = backend->id};

	if (!bpf_map_update_elem(maps->workers, &key, &empty, BPF_NOEXIST))
		return 0;
	if (errno != EEXIST)
		return -1;
	if (!is_dead(backend) && !(old->id == backend->id && is_dead(old)))
		return 0;
	return give_up(build, maps, &key, &empty);
}

/* Rows of no generation any more. */
static void pools_clean(const struct build *build, const struct pool_maps *maps)
{
	struct pool_key key, next, gone[64];
	int i, count = 0, first = 1;

	while (count < 64 &&
	       !bpf_map_get_next_key(maps->pools, first ? NULL : &key, &next)) {
		first = 0;
		key = next;
		if (key.generation == build->generation_index)
			gone[count++] = key;
	}
	for (i = 0; i < count; i++)
		bpf_map_delete_elem(maps->pools, &gone[i]);
}

static int workers_fill(struct build *build, const struct pool_maps *maps,
			struct fault *fault_out)
{
	const struct config_service *from = build->config->services;
	const __u16 *index = build->indices;
	size_t i, j;

	for (i = 0; i < build->config->service_count; i++, from++) {
		if (from->scheduler != SCHEDULER_WORKERS) {
			index += from->backend_count;
			continue;
		}
		build->generation->releases = 1;
		if (pool_write(build, maps, from, build->services[i].id,
			       fault_out))
			return -1;
		for (j = 0; j < from->backend_count; j++, index++) {
			if (backend_write(build, maps,
					  &build->backends[*index]))
				return fault(fault_out,
					     "cannot write workers: %s",
					     strerror(errno));
		}
	}
	return 0;
}

int workers_write(struct build *build, struct fault *fault_out)
{
	struct pool_maps maps;
	int rc = 0;

	if (!has_workers(build->config))
		return 0;
	if (!kernel_can_apart()) {
		fault(fault_out, "cannot balance by scheduler: workers: this "
				 "kernel has no bpf_xdp_store_bytes()");
		return fault_hint(fault_out, "Linux 5.18 or later");
	}
	if (maps_open(&maps, build->kernel)) {
		rc = fault(fault_out, "cannot open the maps of workers: %s",
			   strerror(errno));
	} else {
		pools_clean(build, &maps);
		rc = workers_fill(build, &maps, fault_out);
	}
	maps_close(&maps);
	return rc;
}
