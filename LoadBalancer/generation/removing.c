// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/removing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/generation/flow_table.h"
#include "common/core/abi_services.h"
#include "common/kernel/generation.h"

struct removing {
	struct build *build;
	const __u32 *active; /* flows, by index */
	__u64 now, timeout, grace;
};

/* Does the file have the service of this id? */
static bool in_file(const struct build *build, __u32 id)
{
	size_t i;

	for (i = 0; i < build->config->service_count; i++) {
		if (build->services[i].id == id)
			return true;
	}
	return false;
}

/*
 * Would a backend of both services restore packets for `row` by the row of
 * `other`, and so wrongly? It keeps the row of a service that was removed from
 * the file, unless the file has a row with the same key; and a row with a port
 * comes before one of any port.
 */
static bool is_taken_over(const struct running_service *row,
			  const struct config_service *other)
{
	const struct method *method = &row->service.method;
	bool same_vip = !memcmp(&row->key.vip, &other->vip, sizeof(other->vip));

	if (other->method.forward != method->forward ||
	    other->method.dscp != method->dscp ||
	    other->protocol != row->key.protocol ||
	    (other->port != row->key.port && row->key.port))
		return false;
	/* If the method keeps the VIP, packets say which one it is. */
	if (method_keeps_vip(method))
		return false;
	return !same_vip || other->method.checksum != method->checksum;
}

/* Does any other service of the file have this address, and conflict? */
static bool is_claimed(const struct removing *removing,
		       const struct running_service *row,
		       const struct addr *address)
{
	const struct config *config = removing->build->config;
	const struct config_service *other = config->services;
	size_t i, j;

	for (i = 0; i < config->service_count; i++, other++) {
		if (removing->build->services[i].id == row->service.id ||
		    !is_taken_over(row, other))
			continue;
		for (j = 0; j < other->backend_count; j++) {
			if (!memcmp(&other->backends[j].address, address,
				    sizeof(*address)))
				return true;
		}
	}
	return false;
}

/* Until when it stays; not later than now: not at all. */
static __u64 stays_until(const struct removing *removing, __u32 index)
{
	const struct running *old = &removing->build->old;
	bool active = removing->active[index];
	__u64 span = removing->timeout;

	switch (old->backends[index].state) {
	case BACKEND_ACTIVE:
		/* No table knows flows that have begun just now. */
		if (!active && span > removing->grace)
			span = removing->grace;
		return removing->now + span;
	case BACKEND_DRAINING:
		return active ? removing->now + span : 0;
	case BACKEND_REMOVING:
		return active || removing->now < old->generation.grace_until
			       ? old->until[index]
			       : 0;
	default:
		return 0;
	}
}

/* Keeps the backend at `index`, if it is to stay. */
static bool keep(const struct removing *removing,
		 const struct running_service *row, __u32 index)
{
	struct build *build = removing->build;
	const struct backend *old = &build->old.backends[index];
	__u64 end = stays_until(removing, index);

	if (build->backends[index].state != BACKEND_ABSENT ||
	    end <= removing->now || is_claimed(removing, row, &old->address))
		return false;
	build->backends[index] = *old;
	build->backends[index].state = BACKEND_REMOVING;
	build->until[index] = end;
	return true;
}

/* Keeps a service's backends that are to stay. */
static void service_keep(const struct removing *removing,
			 const struct running_service *row)
{
	struct build *build = removing->build;
	__u16 last = 0, index;
	struct left *left;
	size_t i, end;

	running_range(&build->old, row->service.id, &i, &end);
	for (; i < end; i++) {
		index = (__u16)(build->old.by_address[i]->id % BACKEND_INDEXES);
		if (keep(removing, row, index) &&
		    (!last || build->until[index] > build->until[last - 1]))
			last = (__u16)(1 + index);
	}
	if (!last || in_file(build, row->service.id))
		return;
	left = &build->left[build->left_count++];
	left->service = *row;
	left->service.service.table_first = 0;
	left->service.service.table_size = 0;
	left->service.service.removing = last;
	left->until = build->until[last - 1];
}

/* Backends of services that did not fit. */
static void forget(struct build *build, const struct running_service *row)
{
	struct backend *backend;
	size_t i, end;

	running_range(&build->old, row->service.id, &i, &end);
	for (; i < end; i++) {
		backend = &build->backends[build->old.by_address[i]->id %
					   BACKEND_INDEXES];
		memset(backend, 0, sizeof(*backend));
	}
}

static int by_end(const void *a, const void *b)
{
	const struct left *x = a, *y = b;

	if (x->until != y->until)
		return x->until > y->until ? -1 : 1;
	return memcmp(&x->service.key, &y->service.key, sizeof(x->service.key));
}

static void keep_all(const struct removing *removing)
{
	struct build *build = removing->build;
	size_t i;

	for (i = 0; i < build->old.service_count; i++)
		service_keep(removing, &build->old.services[i]);
	qsort(build->left, build->left_count, sizeof(*build->left), by_end);
	/* Those that would be gone first. */
	while (build->left_count > MAX_SERVICES)
		forget(build, &build->left[--build->left_count].service);
}

/* Has any backend that runs no place in what is built? */
static bool may_leave(const struct build *build)
{
	size_t i;

	for (i = 0; i < build->old.backend_count; i++) {
		if (build->backends[build->old.by_address[i]->id %
				    BACKEND_INDEXES]
			    .state == BACKEND_ABSENT)
			return true;
	}
	return false;
}

int removing_keep(struct build *build, struct fault *fault_out)
{
	struct removing removing = {
		.build = build,
		.now = build->now,
		.timeout = jiffies_of(build->config->drain_timeout),
		.grace = jiffies_of(build->config->handshake_grace),
	};
	__u32 *active;
	int rc;

	/* To count flows, the whole table has to be read. */
	if (build->kernel->at_once || !may_leave(build))
		return 0;
	active = calloc(BACKEND_INDEXES, sizeof(*active));
	if (!active)
		return fault(fault_out, "cannot count flows: %s",
			     strerror(ENOMEM));
	rc = active_flows(build->kernel, &build->old, build->now, active);
	removing.active = active;
	if (rc)
		fault(fault_out, "cannot count flows: %s", strerror(errno));
	else
		keep_all(&removing);
	free(active);
	return rc;
}
