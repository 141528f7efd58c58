// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/checks.h"

#include <stdlib.h>
#include <string.h>

static void again_in(struct checked *backend, __u32 milliseconds)
{
	struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};

	event_add(backend->next, &time);
}

static void done(struct probe *probe, void *data)
{
	struct checked *backend = data;
	bool good = probe->result.path == OUTCOME_GOOD &&
		    probe->result.application != OUTCOME_BAD;
	__u32 pause = health_pause(backend->check, good);
	__u32 took = probe->result.took / 1000;

	backend->under_way = false;
	backend->last = probe->result;
	if (good)
		backend->good++;
	else if (probe->result.path == OUTCOME_UNKNOWN)
		backend->unmade++;
	else
		backend->bad++;
	again_in(backend, pause > took ? pause - took : 0);
	if (probe->result.path == OUTCOME_UNKNOWN ||
	    !health_note(&backend->health, backend->check, good))
		return;
	backend->changed = time(NULL);
	backend->all->changed(backend, backend->all->data);
}

static void begin(evutil_socket_t fd, short what, void *data)
{
	struct checked *backend = data;

	(void)fd;
	(void)what;
	backend->under_way = true;
	probe_start(&backend->probe);
}

static void checked_free(struct checked *backend)
{
	if (backend->under_way)
		probe_stop(&backend->probe);
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

const struct checked *checks_find(const struct checks *checks, __u32 id)
{
	struct checked wanted = {.probe.backend_id = id};
	struct checked *key = &wanted, **found;

	if (!checks->count)
		return NULL;
	found = bsearch(&key, checks->rows, checks->count, sizeof(key), by_id);
	return found ? *found : NULL;
}

/* One that is new begins at a moment of its own, so that not all do at once. */
static struct checked *checked_new(struct checks *checks,
				   const struct config_check *check,
				   const struct backend *from)
{
	struct checked *backend = calloc(1, sizeof(*backend));

	if (!backend)
		return NULL;
	backend->all = checks;
	backend->health.up = from->state != BACKEND_DOWN;
	backend->health.proven = !backend->health.up;
	backend->probe.backend_id = from->id;
	backend->probe.backend = from->address;
	backend->probe.prober = &checks->prober;
	backend->probe.done = done;
	backend->probe.data = backend;
	backend->probe.fd = -1;
	backend->next = evtimer_new(checks->prober.base, begin, backend);
	if (!backend->next) {
		free(backend);
		return NULL;
	}
	again_in(backend, (__u32)random() % (check->interval / 2));
	return backend;
}

/* A backend of a service that is checked, known or new. */
static struct checked *checked_of(struct checks *checks,
				  const struct running_service *service,
				  const struct config_check *check,
				  const struct backend *from)
{
	struct checked *backend =
		(struct checked *)checks_find(checks, from->id);

	if (!backend)
		backend = checked_new(checks, check, from);
	if (!backend)
		return NULL;
	/* What is under way was asked as the file said then. */
	if (backend->under_way &&
	    memcmp(backend->check, check, sizeof(*check))) {
		probe_stop(&backend->probe);
		backend->under_way = false;
		again_in(backend, 0);
	}
	backend->service = service->key;
	backend->check = backend->probe.check = check;
	backend->probe.vip = service->key.vip;
	backend->probe.port = check->port ?: service->key.port;
	backend->state = from->state;
	return backend;
}

static void service_sync(struct checks *checks, const struct running *running,
			 const struct config_service *from,
			 struct checked **rows, size_t *count)
{
	struct service_key key = {from->vip, from->port, from->protocol, 0};
	const struct running_service *service = running_service(running, &key);
	size_t first, end;

	if (!service || from->check.type == CHECK_NONE)
		return;
	running_range(running, service->service.id, &first, &end);
	for (; first < end; first++) {
		const struct backend *backend = running->by_address[first];

		if (backend->state > BACKEND_DOWN)
			continue;
		rows[*count] =
			checked_of(checks, service, &from->check, backend);
		if (rows[*count])
			++*count;
	}
}

int checks_sync(struct checks *checks, const struct running *running)
{
	struct checked **rows =
		calloc(running->backend_count + 1, sizeof(struct checked *));
	struct checks old = *checks;
	size_t count = 0, i;

	if (!rows)
		return -1;
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
	return 0;
}

void checks_stop(struct checks *checks)
{
	size_t i;

	for (i = 0; i < checks->count; i++)
		checked_free(checks->rows[i]);
	free(checks->rows);
	checks->rows = NULL;
	checks->count = 0;
}

bool checks_is_up(const void *data, const struct backend *backend)
{
	const struct checked *checked = checks_find(data, backend->id);

	/* Who is not asked stays as it is. */
	return checked ? checked->health.up : backend->state != BACKEND_DOWN;
}
