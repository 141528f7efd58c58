// SPDX-License-Identifier: GPL-2.0-only
/*
 * workers.c - do requests to workers wait for long, and do servers say when
 * they are done?
 */
#include <bpf/bpf.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/queues.h"
#include "LoadBalancer/generation/read.h"
#include "common/core/abi_workers.h"

#define LONG_MS 1000 /* for a request in the queue */

/* A service of workers: in the file, and in the maps. */
struct pool {
	const struct config_service *from;
	char name[80];
	struct pool_state state;
	__u32 size;	/* of its queue */
	__u64 waits_ms; /* how long the oldest request in it has waited */
};

static void look_key(struct doctor *doctor, const struct pool *pool)
{
	if (*pool->from->release_key)
		return;
	report(doctor, HEALTH_WARN,
	       "%s: without a release-key, whoever can send from a backend's "
	       "address can free its threads",
	       pool->name);
	mend(doctor, "in FILE, release-key: (16 bytes that only its servers "
		     "know)");
}

static void look_queue(struct doctor *doctor, const struct pool *pool)
{
	unsigned long long queued = pool->state.queued;

	if (queued >= pool->size)
		report(doctor, HEALTH_FAIL,
		       "%s: the queue is full: %llu requests wait, the oldest "
		       "for %.1f s",
		       pool->name, queued, (double)pool->waits_ms / 1000);
	else if (pool->waits_ms >= LONG_MS)
		report(doctor, HEALTH_WARN,
		       "%s: %llu requests wait, the oldest for %.1f s",
		       pool->name, queued, (double)pool->waits_ms / 1000);
	else
		return;
	mend(doctor, "lbr show workers");
}

/* Do the servers say when they are done? */
static void look_done(struct doctor *doctor, const struct pool *pool)
{
	const __u64 *counts = pool->state.counts;
	unsigned long long sent = counts[POOL_SENT], done = counts[POOL_DONE];
	unsigned long long expired = counts[POOL_EXPIRED];

	if (!done && sent && (expired || pool->state.queued))
		report(doctor, HEALTH_FAIL,
		       "%s: of %llu requests, no server has said that it was "
		       "done: a thread is free only when its lease ends",
		       pool->name, sent);
	else if (expired > done)
		report(doctor, HEALTH_WARN,
		       "%s: %llu threads were freed by servers, and %llu when "
		       "their lease ended",
		       pool->name, done, expired);
	else
		return;
	mend(doctor, "tcpdump -ni IFACE udp port %u",
	     bpf_ntohs(pool->from->release));
}

static void look_pools(struct doctor *doctor, const struct pool_maps *maps,
		       const struct running *running)
{
	const struct config_service *from = doctor->config.services;
	const struct running_service *service;
	char text[64];
	size_t i;

	for (i = 0; i < doctor->config.service_count; i++, from++) {
		struct pool pool = {.from = from};

		if (from->scheduler != SCHEDULER_WORKERS)
			continue;
		snprintf(pool.name, sizeof(pool.name), "%s/%s",
			 endpoint_text(&from->vip, from->port, text),
			 protocol_name(from->protocol));
		look_key(doctor, &pool);
		service = running_service_for(running, from);
		if (!service ||
		    bpf_map_lookup_elem(maps->states, &service->service.id,
					&pool.state))
			continue;
		pool.size =
			workers_queue_size(maps->queues, service->service.id);
		pool.waits_ms =
			workers_queue_age(maps->queues, service->service.id);
		look_queue(doctor, &pool);
		look_done(doctor, &pool);
	}
}

void look_workers(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	struct running running;
	struct pool_maps maps;
	struct fault said;

	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	if (pool_maps_open(&maps, kernel))
		report(doctor, HEALTH_UNKNOWN,
		       "the maps of workers cannot be read");
	else
		look_pools(doctor, &maps, &running);
	pool_maps_close(&maps);
	running_free(&running);
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "no request to workers waits for long");
}
