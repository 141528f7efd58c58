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

#include "LoadBalancer/generation/build.h"
#include "LoadBalancer/generation/queues.h"
#include "common/core/abi_workers.h"
#include "common/core/schedulers/workers.h"
#include "common/kernel/kernel.h"

static bool has_workers(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].scheduler == SCHEDULER_WORKERS)
			return true;
	}
	return false;
}

/*
 * A queue, if the service has none. Another size is given after the switch, so
 * that a change that is refused changes nothing. Returns 0, or -1 with a fault.
 */
static int queue_prepare(const struct pool_maps *maps, __u32 service,
			 __u32 size, struct fault *fault_out)
{
	__u32 now = workers_queue_size(maps->queues, service);
	struct pool_state state = {0};

	if (!now && workers_queue_make(maps, service, size))
		return fault(fault_out, "cannot make the queue: %s",
			     strerror(errno));
	if (size >= now)
		return 0;
	bpf_map_lookup_elem(maps->states, &service, &state);
	if (state.queued <= size)
		return 0;
	fault(fault_out, "cannot shorten the queue to %u: %llu requests wait",
	      size, (unsigned long long)state.queued);
	return fault_hint(fault_out, "lbr show workers");
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
	if (queue_prepare(maps, service, from->queue, fault_out))
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

/* What an earlier generation of this index said. */
static void pools_clean(const struct build *build, const struct pool_maps *maps)
{
	struct pool_key key, next;
	int rc = bpf_map_get_next_key(maps->pools, NULL, &key);

	while (!rc) {
		rc = bpf_map_get_next_key(maps->pools, &key, &next);
		if (key.generation == build->generation_index)
			bpf_map_delete_elem(maps->pools, &key);
		key = next;
	}
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
	if (pool_maps_open(&maps, build->kernel)) {
		rc = fault(fault_out, "cannot open the maps of workers: %s",
			   strerror(errno));
	} else {
		pools_clean(build, &maps);
		rc = workers_fill(build, &maps, fault_out);
	}
	pool_maps_close(&maps);
	return rc;
}
