// SPDX-License-Identifier: GPL-2.0-only
/*
 * overdue.c - backends that have drained for longer than `drain-timeout`, and
 * still have flows
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/read.h"
#include "common/base/address.h"
#include "common/base/elapsed.h"
#include "common/config/endpoint.h"
#include "common/kernel/generation.h"

/* Has the backend been in its state for longer than that? */
static bool is_overdue(const struct doctor *doctor,
		       const struct running *running,
		       const struct backend *backend)
{
	__u64 since = running->since[backend->id % BACKEND_INDEXES];
	__u64 end = since + doctor->config.drain_timeout;

	return backend->state == BACKEND_DRAINING && since && event_now() > end;
}

static void backends_look(struct doctor *doctor, const struct running *running,
			  const __u32 *active)
{
	char text[64], address[INET6_ADDRSTRLEN];
	const struct running_service *service;
	const struct backend *backend;
	__u32 flows;
	size_t i;

	for (i = 0; i < running->backend_count; i++) {
		backend = running->by_address[i];
		service = running_service_of(running, backend->service);
		flows = active[backend->id % BACKEND_INDEXES];
		if (!service || !flows || !is_overdue(doctor, running, backend))
			continue;
		report(doctor, HEALTH_WARN,
		       "%s/%s: %s has drained for longer than drain-timeout, "
		       "and %u flow%s would break if it stopped now; remove it "
		       "from the file, and stop it when drain-timeout is over",
		       endpoint_text(&service->key.vip, service->key.port,
				     text),
		       protocol_name(service->key.protocol),
		       addr_text(&backend->address, address), flows,
		       flows == 1 ? "" : "s");
		mend(doctor, "lbr show backends");
	}
}

void overdue_look(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	__u32 *active = calloc(BACKEND_INDEXES, sizeof(*active));
	struct running running;
	struct fault said;
	__u64 now;

	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		free(active);
		return;
	}
	if (!active || jiffies_now(kernel, &now) ||
	    active_flows(kernel, &running, now, active))
		report(doctor, HEALTH_UNKNOWN, "cannot count flows: %s",
		       strerror(active ? errno : ENOMEM));
	else
		backends_look(doctor, &running, active);
	running_free(&running);
	free(active);
}
