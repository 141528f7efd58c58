// SPDX-License-Identifier: GPL-2.0-only
#include "Backend/health/local.h"

#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "common/core/address.h"
#include "common/net/netlink.h"

static void again_in(struct local *local, __u32 milliseconds)
{
	struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};

	event_add(local->next, &time);
}

static void done(struct probe *probe, void *data)
{
	const struct result *result = &probe->result;
	enum outcome path = result->application == OUTCOME_UNKNOWN
				    ? OUTCOME_UNKNOWN
				    : OUTCOME_GOOD;
	enum health_finding finding;
	struct local *local = data;
	__u32 pause, took = result->took / 1000;
	char was[WHY];

	local->under_way = false;
	finding = health_verdict(&local->check, path, result->application,
				 result->silent);
	pause = health_pause(&local->check, finding == FINDING_UP);
	again_in(local, pause > took ? pause - took : 0);
	snprintf(was, sizeof(was), "%s", local->why);
	if (finding == FINDING_APPLICATION_DOWN)
		snprintf(local->why, sizeof(local->why), "%.*s", WHY - 1,
			 result->why);
	if (health_note(&local->health, &local->check, finding) ||
	    (health_is_down(&local->health) && strcmp(was, local->why)))
		local->all->changed(local->all->data);
}

static void begin(evutil_socket_t fd, short what, void *data)
{
	struct local *local = data;

	(void)fd;
	(void)what;
	local->under_way = true;
	probe_start(&local->probe);
}

static void stop(struct local *local)
{
	if (local->under_way)
		probe_stop(&local->probe);
	local->under_way = false;
}

static void local_free(struct local *local)
{
	stop(local);
	probe_end(&local->probe);
	event_free(local->next);
	free(local);
}

static int by_service(const void *a, const void *b)
{
	const struct local *x = *(struct local *const *)a;
	const struct local *y = *(struct local *const *)b;
	int order = memcmp(&x->service, &y->service, sizeof(x->service));

	return order ?: memcmp(&x->backend, &y->backend, sizeof(x->backend));
}

static struct local *locals_find(const struct locals *locals,
				 const struct local *wanted)
{
	struct local *const *found =
		locals->count ? bsearch(&wanted, locals->rows, locals->count,
					sizeof(wanted), by_service)
			      : NULL;

	return found ? *found : NULL;
}

static struct local *local_new(struct locals *locals,
			       const struct local *wanted,
			       const struct config_check *check)
{
	struct local *local = calloc(1, sizeof(*local));

	if (!local)
		return NULL;
	local->all = locals;
	local->service = wanted->service;
	local->backend = wanted->backend;
	local->probe.prober = &locals->prober;
	local->probe.done = done;
	local->probe.data = local;
	local->probe.fd = -1;
	local->probe.direct = true;
	local->next = evtimer_new(locals->prober.base, begin, local);
	if (!local->next) {
		free(local);
		return NULL;
	}
	again_in(local, (__u32)random() % (check->interval / 2));
	return local;
}

/* What is asked, and where: see the head of local.h. */
static void ask_for(struct local *local, const struct config_check *check,
		    const struct config_backend *from, bool has_vip)
{
	struct probe *probe = &local->probe;

	if (memcmp(&local->check, check, sizeof(*check)) && local->under_way) {
		stop(local);
		again_in(local, 0);
	}
	local->check = *check;
	probe->check = &local->check;
	probe->type = check->type;
	probe->vip = local->service.vip;
	probe->client_port = check->port ?: local->service.port;
	probe->port = check->application_port
			      ?: from->port
			      ?: probe->client_port;
	probe->backend = has_vip && !check->application_port && !from->port
				 ? local->service.vip
				 : local->backend;
}

/* The addresses of this host. */
struct host {
	const struct addr *own;
	int own_count;
	struct link_address *all;
	int count;
};

static int service_sync(struct locals *locals, const struct host *host,
			const struct config_service *service,
			struct local **rows, size_t *count)
{
	struct local wanted = {.service = {.vip = service->vip,
					   .port = service->port,
					   .protocol = service->protocol}};
	struct config_check check;
	struct local *local;
	bool has_vip;
	size_t i;

	has_vip = addresses_have(host->all, host->count, &service->vip);
	health_local(service, &check);
	for (i = 0; i < service->backend_count; i++) {
		wanted.backend = service->backends[i].address;
		if (!is_own(&wanted.backend, host->own, host->own_count))
			continue;
		local = locals_find(locals, &wanted)
				?: local_new(locals, &wanted, &check);
		if (!local)
			return -1;
		ask_for(local, &check, &service->backends[i], has_vip);
		rows[(*count)++] = local;
	}
	return 0;
}

/* Rows that no file names any more. */
static void others_free(struct locals *old, const struct locals *now)
{
	size_t i;

	for (i = 0; i < old->count; i++) {
		if (!locals_find(now, old->rows[i]))
			local_free(old->rows[i]);
	}
	free(old->rows);
}

int locals_sync(struct locals *locals, const struct config *config,
		const struct addr *own, int own_count, struct fault *fault_out)
{
	struct host host = {.own = own, .own_count = own_count};
	const struct config_service *service = config->services;
	struct locals old = *locals;
	size_t most = 0, count = 0, i;
	struct local **rows;
	int rc = 0;

	host.count = addresses_read(&host.all, fault_out);
	if (host.count < 0)
		return -1;
	for (i = 0; i < config->service_count; i++)
		most += service[i].backend_count;
	rows = calloc(most + 1, sizeof(*rows));
	for (i = 0; rows && i < config->service_count; i++, service++) {
		if (health_heartbeats(&service->check))
			rc |= service_sync(locals, &host, service, rows,
					   &count);
	}
	free(host.all);
	if (!rows || rc) {
		free(rows);
		return fault(fault_out, "cannot check servers: no memory");
	}
	qsort(rows, count, sizeof(*rows), by_service);
	locals->rows = rows;
	locals->count = count;
	others_free(&old, locals);
	return 0;
}

void locals_stop(struct locals *locals)
{
	size_t i;

	for (i = 0; i < locals->count; i++)
		local_free(locals->rows[i]);
	free(locals->rows);
	locals->rows = NULL;
	locals->count = 0;
}

void local_say(const struct local *local, struct heartbeat_service *service)
{
	bool is_down = health_is_down(&local->health);
	size_t i;

	*service = (struct heartbeat_service){
		.key = local->service,
		.backend = local->backend,
		.state = local->health.finding == FINDING_NONE
				 ? HEARTBEAT_UNKNOWN
			 : is_down ? HEARTBEAT_BAD
				   : HEARTBEAT_GOOD,
		.flows = local->flows,
		.moved = local->moved,
	};
	if (is_down)
		snprintf(service->why, sizeof(service->why), "%.*s",
			 HEARTBEAT_WHY, local->why);
	/* A server's own words may be in it. */
	for (i = 0; service->why[i]; i++) {
		if (service->why[i] < ' ' || service->why[i] > '~')
			service->why[i] = '?';
	}
}
