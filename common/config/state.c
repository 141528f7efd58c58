// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/state.h"
#include "common/core/abi_services.h"

#include <stdio.h>

static bool is_down(const struct backend *backend)
{
	return backend->finding == FINDING_PATH_DOWN ||
	       backend->finding == FINDING_APPLICATION_DOWN;
}

static __u8 state_alone(const struct config_service *service,
			const struct backend *backend)
{
	/* Also for one that drains: if it is dead, its flows cannot stay. */
	if (backend->finding == FINDING_PATH_DOWN)
		return BACKEND_DOWN;
	if (backend->finding == FINDING_APPLICATION_DOWN)
		return service->on_down == DOWN_MOVE ? BACKEND_DOWN
						     : BACKEND_DRAINING;
	return backend->drain ? BACKEND_DRAINING : BACKEND_ACTIVE;
}

/* All backends that are to serve are down: some of them serve nevertheless. */
static void last_resort(const struct config_service *service,
			const __u16 *indices, struct backend *backends)
{
	bool some_answer = false;
	struct backend *backend;
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		backend = &backends[indices[i]];
		some_answer |= !backend->drain &&
			       backend->finding == FINDING_APPLICATION_DOWN;
	}
	for (i = 0; i < service->backend_count; i++) {
		backend = &backends[indices[i]];
		if (!backend->drain &&
		    (!some_answer ||
		     backend->finding == FINDING_APPLICATION_DOWN))
			backend->state = BACKEND_ACTIVE;
	}
}

void states_set(const struct config_service *service, const __u16 *indices,
		struct backend *backends)
{
	bool some = false;
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		struct backend *backend = &backends[indices[i]];

		backend->state = state_alone(service, backend);
		some |= backend->state == BACKEND_ACTIVE;
	}
	if (!some && service->on_all_down == ALL_DOWN_ALL)
		last_resort(service, indices, backends);
}

enum backend_status backend_status(const struct backend *backend)
{
	if (backend->state == BACKEND_REMOVING)
		return STATUS_REMOVING;
	if (backend->drain)
		return STATUS_DRAINING;
	if (!is_down(backend))
		return STATUS_UP;
	return backend->state == BACKEND_ACTIVE ? STATUS_LAST_RESORT
						: STATUS_DOWN;
}

const char *status_name(enum backend_status status)
{
	static const char *const names[] = {
		[STATUS_UP] = "up",
		[STATUS_DRAINING] = "draining",
		[STATUS_REMOVING] = "removing",
		[STATUS_DOWN] = "down",
		[STATUS_LAST_RESORT] = "last resort",
	};

	return names[status];
}

const char *status_flows(const struct backend *backend, char *text)
{
	enum backend_status status = backend_status(backend);
	const char *flows = "";

	if (status == STATUS_DOWN)
		flows = backend->state == BACKEND_DOWN ? ", its flows move"
						       : ", keeps its flows";
	else if (backend->state == BACKEND_DOWN)
		flows = " and down, its flows move";
	snprintf(text, 48, "%s%s", status_name(status), flows);
	return text;
}

void service_add(struct service_tally *tally, const struct backend *backend)
{
	enum backend_status status = backend_status(backend);

	if (status == STATUS_DRAINING || status == STATUS_REMOVING)
		return;
	tally->to_serve++;
	tally->down += status != STATUS_UP;
	tally->unknown += backend->finding == FINDING_NONE;
}

enum service_status service_status(const struct service_tally *tally)
{
	if (!tally->to_serve)
		return SERVICE_DRAINED;
	if (tally->down == tally->to_serve)
		return SERVICE_DOWN;
	return tally->down ? SERVICE_DEGRADED : SERVICE_UP;
}

const char *service_status_name(enum service_status status)
{
	static const char *const names[] = {
		[SERVICE_UP] = "up",
		[SERVICE_DEGRADED] = "degraded",
		[SERVICE_DOWN] = "down",
		[SERVICE_DRAINED] = "drained",
		[SERVICE_REMOVING] = "removing",
	};

	return names[status];
}
