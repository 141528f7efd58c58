// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/leaving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/flows.h"

struct leaving {
	const struct config *config;
	const struct running *old;
	const struct service *services;
	const __u32 *in_use; /* flows, by index */
	__u64 now, timeout, grace;
};

/* The file's service of this id. NULL: it has left, too. */
static const struct config_service *service_of(const struct leaving *leaving,
					       __u32 id)
{
	size_t i;

	for (i = 0; i < leaving->config->service_count; i++) {
		if (leaving->services[i].id == id)
			return &leaving->config->services[i];
	}
	return NULL;
}

/* Can a backend of both tell whose VIP it is to restore, if it restores? */
static bool are_told_apart(const struct config_service *a,
			   const struct config_service *b)
{
	if (a->method.forward != b->method.forward)
		return true;
	if (a->method.forward == FORWARD_DSCP)
		return a->method.dscp != b->method.dscp;
	return a->method.forward != FORWARD_REWRITE ||
	       a->protocol != b->protocol ||
	       (a->port && b->port && a->port != b->port);
}

/*
 * Does the file use the address for another service, which the backend could
 * not tell from this one? Then it restores that one's VIP from now on.
 */
static bool is_claimed(const struct leaving *leaving,
		       const struct config_service *service,
		       const struct addr *address)
{
	const struct config_service *other = leaving->config->services;
	size_t i, j;

	for (i = 0; i < leaving->config->service_count; i++, other++) {
		if (other == service || are_told_apart(other, service))
			continue;
		for (j = 0; j < other->backend_count; j++) {
			if (!memcmp(&other->backends[j].address, address,
				    sizeof(*address)))
				return true;
		}
	}
	return false;
}

/* Until when it stays; not after now: not at all. */
static __u64 stays_until(const struct leaving *leaving, __u32 index)
{
	const struct running *old = leaving->old;
	bool in_use = leaving->in_use[index];
	__u64 span = leaving->timeout;

	switch (old->backends[index].state) {
	case BACKEND_ACTIVE:
		/* What has begun there just now, no table knows yet. */
		if (!in_use && span > leaving->grace)
			span = leaving->grace;
		return leaving->now + span;
	case BACKEND_DRAINING:
		return in_use ? leaving->now + span : 0;
	case BACKEND_LEAVING:
		return in_use || leaving->now < old->generation.grace_until
			       ? old->until[index]
			       : 0;
	default:
		return 0;
	}
}

static void keep(const struct leaving *leaving, struct backend *backends,
		 __u64 *until)
{
	const struct config_service *service = NULL;
	const struct backend *old;
	__u32 id = 0, index;
	__u64 end;
	size_t i;

	/* They are sorted by service. */
	for (i = 0; i < leaving->old->backend_count; i++) {
		old = leaving->old->by_address[i];
		index = old->id % BACKEND_SLOTS;
		if (backends[index].state != BACKEND_ABSENT)
			continue;
		if (!service || id != old->service)
			service = service_of(leaving, old->service);
		id = old->service;
		end = stays_until(leaving, index);
		if (!service || end <= leaving->now ||
		    is_claimed(leaving, service, &old->address))
			continue;
		backends[index] = *old;
		backends[index].state = BACKEND_LEAVING;
		until[index] = end;
	}
}

int leaving_keep(const struct kernel *kernel, const struct config *config,
		 const struct running *old, const struct service *services,
		 struct backend *backends, __u64 *until,
		 struct fault *fault_out)
{
	struct leaving leaving = {
		.config = config,
		.old = old,
		.services = services,
		.timeout = jiffies_of(config->drain_timeout),
		.grace = jiffies_of(config->handshake_grace),
	};
	__u32 *in_use;
	int rc;

	if (kernel->cut || !old->backend_count)
		return 0;
	in_use = calloc(BACKEND_SLOTS, sizeof(*in_use));
	if (!in_use)
		return fault(fault_out, "cannot count flows: %s",
			     strerror(ENOMEM));
	rc = jiffies_now(kernel, &leaving.now)
		     ?: flows_in_use(kernel, old, leaving.now, in_use);
	leaving.in_use = in_use;
	if (rc)
		fault(fault_out, "cannot count flows: %s", strerror(errno));
	else
		keep(&leaving, backends, until);
	free(in_use);
	return rc;
}
