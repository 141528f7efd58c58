// SPDX-License-Identifier: GPL-2.0-only
/*
 * since.c - since when each state of a new generation holds: as in the running
 * generation if it is the same there; else from now on
 */
#include "LoadBalancer/generation/build.h"
#include "common/base/elapsed.h"
#include "common/config/state.h"
#include "common/core/abi_services.h"

/* Since when a backend is in its state, as people are told it. */
static __u64 backend_since(const struct build *build, __u32 index, __u64 now)
{
	const struct backend *old = &build->old.backends[index];
	const struct backend *new = &build->backends[index];

	if (new->state == BACKEND_ABSENT)
		return 0;
	if (old->state == BACKEND_ABSENT || old->id != new->id ||
	    backend_status(old) != backend_status(new))
		return now;
	return build->old.since[index];
}

/* The same for a service; `indices` are those of its backends. */
static __u64 service_since(const struct build *build, size_t number,
			   const __u16 *indices, __u64 now)
{
	const struct config_service *from = &build->config->services[number];
	const struct running_service *old =
		running_service_for(&build->old, from);
	struct service_tally was = {0}, is = {0};
	size_t i, end;

	if (!old || old->service.removing)
		return now;
	running_range(&build->old, old->service.id, &i, &end);
	for (; i < end; i++)
		service_add(&was, build->old.by_address[i]);
	for (i = 0; i < from->backend_count; i++)
		service_add(&is, &build->backends[indices[i]]);
	return service_status(&was) == service_status(&is)
		       ? build->old.service_since[old->service.rr_turn]
		       : now;
}

void since_write(const struct build *build, struct backend_rows *rows)
{
	__u64 now = event_now();
	const __u16 *indices = build->indices;
	size_t i;

	for (i = 0; i < BACKEND_INDEXES; i++)
		rows->since[i] = backend_since(build, (__u32)i, now);
	for (i = 0; i < build->config->service_count; i++) {
		rows->service_since[build->services[i].rr_turn] =
			service_since(build, i, indices, now);
		indices += build->config->services[i].backend_count;
	}
}
