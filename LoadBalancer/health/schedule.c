// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/schedule.h"
#include "common/core/abi_services.h"

#include <stdlib.h>
#include <string.h>

static void again_in(struct checked *backend, __u32 milliseconds)
{
	struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};

	event_add(backend->next, &time);
}

/* What was found about the path, and about the application itself. */
static struct result join(const struct result *via, const struct result *direct,
			  __u16 port)
{
	struct result result = *via;

	if (direct->took > result.took)
		result.took = direct->took;
	if (direct->application != OUTCOME_GOOD)
		snprintf(result.why, sizeof(result.why), "%.*s%sport %u: %.*s",
			 WHY, via->why, *via->why ? "; " : "", port, WHY,
			 direct->why);
	else if (*via->why)
		snprintf(result.why, sizeof(result.why),
			 "%.*s; port %u answers", WHY, via->why, port);
	/*
	 * A refusal at the VIP is worse than what the application says
	 * elsewhere.
	 */
	if (via->application != OUTCOME_BAD)
		result.application = direct->application;
	return result;
}

bool checked_is_down(const struct checked *backend)
{
	return backend->finding == FINDING_PATH_DOWN ||
	       backend->finding == FINDING_APPLICATION_DOWN;
}

/* Why it is down: whoever has found it, or both. */
static void why_write(const struct checked *backend, char why[VERDICT_TEXT])
{
	bool by_check = health_is_down(&backend->health);
	bool by_heartbeats =
		backend->heard.verdict.finding == FINDING_APPLICATION_DOWN;

	*why = '\0';
	if (checked_is_down(backend))
		snprintf(why, VERDICT_TEXT, "%.*s%s%s",
			 VERDICT_TEXT - HEARTBEAT_VERDICT - 3,
			 by_check ? backend->why : "",
			 by_check && *backend->why && by_heartbeats ? "; " : "",
			 by_heartbeats ? backend->heard.verdict.why : "");
}

void checked_settle(struct checked *backend)
{
	__u8 was = backend->finding;
	char why[VERDICT_TEXT];
	bool is_news;

	backend->finding = (__u8)heartbeat_join_findings(
		backend->health.finding, backend->heard.verdict.finding);
	is_news = backend->finding != was &&
		  !(was == FINDING_NONE && backend->finding == FINDING_UP);
	why_write(backend, why);
	if (backend->finding == was && !strcmp(why, backend->noted))
		return;
	snprintf(backend->noted, sizeof(backend->noted), "%s", why);
	backend->all->changed(backend, is_news, backend->all->data);
}

/* Is there anything new to note about it? */
static void note(struct checked *backend, enum health_finding finding)
{
	health_note(&backend->health, &backend->check, finding);
	if (finding != FINDING_UP && finding != FINDING_NONE)
		snprintf(backend->why, sizeof(backend->why), "%s",
			 backend->last.why);
	checked_settle(backend);
}

static void done(struct probe *probe, void *data)
{
	struct checked *backend = data;
	struct result *result = &backend->last;
	__u32 pause, took;
	enum health_finding finding;

	(void)probe;
	if (--backend->under_way)
		return;
	*result = backend->probe.result;
	if (backend->check.application_port)
		*result = join(&backend->probe.result,
			       &backend->application.result,
			       bpf_ntohs(backend->check.application_port));
	finding = health_verdict(&backend->check, result->path,
				 result->application, result->silent);
	if (finding == FINDING_UP)
		backend->good++;
	else if (finding == FINDING_NONE)
		backend->skipped++;
	else
		backend->bad++;
	pause = health_pause(&backend->check, finding == FINDING_UP);
	took = result->took / 1000;
	again_in(backend, pause > took ? pause - took : 0);
	note(backend, finding);
}

static void begin(evutil_socket_t fd, short what, void *data)
{
	struct checked *backend = data;

	(void)fd;
	(void)what;
	backend->under_way = 1;
	if (backend->check.application_port) {
		backend->under_way = 2;
		probe_start(&backend->application);
	}
	probe_start(&backend->probe);
}

static void stop(struct checked *backend)
{
	if (!backend->under_way)
		return;
	probe_stop(&backend->probe);
	probe_stop(&backend->application);
	backend->under_way = 0;
}

static void checked_free(struct checked *backend)
{
	stop(backend);
	probe_end(&backend->probe);
	heard_end(backend);
	if (backend->next)
		event_free(backend->next);
	free(backend);
}

static int by_id(const void *a, const void *b)
{
	const struct checked *x = *(struct checked *const *)a;
	const struct checked *y = *(struct checked *const *)b;

	return x->probe.backend_id < y->probe.backend_id
		       ? -1
		       : x->probe.backend_id > y->probe.backend_id;
}

/* NULL: it is not checked. */
static const struct checked *checks_find(const struct checks *checks, __u32 id)
{
	struct checked wanted = {.probe.backend_id = id};
	struct checked *key = &wanted, **found;

	if (!checks->count)
		return NULL;
	found = bsearch(&key, checks->rows, checks->count, sizeof(key), by_id);
	return found ? *found : NULL;
}

static void probe_init(struct probe *probe, struct checked *backend,
		       const struct backend *from)
{
	probe->backend_id = from->id;
	probe->backend = from->address;
	probe->prober = &backend->all->prober;
	probe->done = done;
	probe->data = backend;
	probe->fd = -1;
}

/* A new one begins at a random moment, so that not all are checked at once. */
static struct checked *checked_new(struct checks *checks,
				   const struct config_check *check,
				   const struct backend *from)
{
	struct checked *backend = calloc(1, sizeof(*backend));

	if (!backend)
		return NULL;
	backend->all = checks;
	backend->check = *check;
	backend->finding = from->finding;
	probe_init(&backend->probe, backend, from);
	probe_init(&backend->application, backend, from);
	backend->probe.judges_path = true;
	backend->application.direct = true;
	backend->next = evtimer_new(checks->prober.base, begin, backend);
	if (!backend->next || heard_begin(backend, from)) {
		if (backend->next)
			event_free(backend->next);
		free(backend);
		return NULL;
	}
	if (backend->heard.wanted == HEARTBEATS_ALONE)
		return backend;
	backend->health.finding = from->finding;
	again_in(backend, (__u32)random() % (check->interval / 2));
	return backend;
}

/* What to ask from now on. Returns whether it is something else than before. */
static bool ask_for(struct checked *backend,
		    const struct running_service *running,
		    const struct config_check *check,
		    const struct backend *from)
{
	struct probe *probe = &backend->probe;
	struct probe *application = &backend->application;
	const struct service_key *service = &running->key;
	bool was_direct = probe->direct, differs;
	__be16 old_port = probe->port;

	differs = memcmp(&backend->check, check, sizeof(*check));
	backend->service = *service;
	backend->check = *check;
	probe->check = application->check = &backend->check;
	probe->vip = application->vip = service->vip;
	probe->direct = method_returns(&running->service.method);
	probe->client_port = application->client_port =
		check->port ?: service->port;
	probe->port = from->port ?: probe->client_port;
	probe->type = check->application_port ? CHECK_TCP : check->type;
	application->port = check->application_port;
	application->type = check->type;
	return differs || probe->direct != was_direct ||
	       probe->port != old_port;
}

/* The load balancer, or the backend alone? */
static void who_asks(struct checked *backend)
{
	bool is_on = backend->under_way || evtimer_pending(backend->next, NULL);

	if (backend->heard.wanted != HEARTBEATS_ALONE && !is_on)
		again_in(backend, 0);
	if (backend->heard.wanted != HEARTBEATS_ALONE || !is_on)
		return;
	stop(backend);
	event_del(backend->next);
	backend->health = (struct health){0};
	checked_settle(backend);
}

/* A backend of a service with a check, known or new. */
static struct checked *checked_of(struct checks *checks,
				  const struct running_service *service,
				  const struct config_check *check,
				  const struct backend *from)
{
	struct checked *backend =
		(struct checked *)checks_find(checks, from->id);
	struct config_check asked = *check;

	/* Its position in the file does not matter. */
	asked.line = 0;
	if (!backend)
		backend = checked_new(checks, check, from);
	if (!backend)
		return NULL;
	/* A check under way was begun as the old file said. */
	if (ask_for(backend, service, &asked, from) && backend->under_way) {
		stop(backend);
		again_in(backend, 0);
	}
	heard_follow(backend);
	who_asks(backend);
	return backend;
}

static void service_sync(struct checks *checks, const struct running *running,
			 const struct config_service *from,
			 struct checked **rows, size_t *count)
{
	const struct running_service *service =
		running_service_for(running, from);
	size_t first, end;

	if (!service || from->check.type == CHECK_NONE)
		return;
	running_range(running, service->service.id, &first, &end);
	for (; first < end; first++) {
		const struct backend *backend = running->by_address[first];

		if (backend->state == BACKEND_REMOVING)
			continue;
		rows[*count] =
			checked_of(checks, service, &from->check, backend);
		if (rows[*count])
			++*count;
	}
}

int checks_sync(struct checks *checks, const struct running *running,
		struct fault *fault_out)
{
	struct checked **rows =
		calloc(running->backend_count + 1, sizeof(struct checked *));
	struct checks old = *checks;
	size_t count = 0, i;

	if (!rows)
		return fault(fault_out, "cannot check: no memory");
	for (i = 0; i < checks->config->service_count; i++)
		service_sync(checks, running, &checks->config->services[i],
			     rows, &count);
	qsort(rows, count, sizeof(struct checked *), by_id);
	checks->rows = rows;
	checks->count = count;
	for (i = 0; i < old.count; i++) {
		if (!checks_find(checks, old.rows[i]->probe.backend_id))
			checked_free(old.rows[i]);
	}
	free(old.rows);
	if (heard_index(checks))
		return fault(fault_out,
			     "cannot listen for heartbeats: no memory");
	return 0;
}

void checks_stop(struct checks *checks)
{
	size_t i;

	for (i = 0; i < checks->count; i++)
		checked_free(checks->rows[i]);
	free(checks->rows);
	free(checks->by_backend);
	checks->by_backend = NULL;
	checks->heartbeat_count = 0;
	checks->rows = NULL;
	checks->count = 0;
}

enum health_finding checks_finding(const void *data,
				   const struct backend *backend,
				   const char **why)
{
	const struct checked *checked = checks_find(data, backend->id);

	/* A backend that is not checked stays as it is. */
	*why = checked ? checked->noted : NULL;
	return checked ? checked->finding : backend->finding;
}
