// SPDX-License-Identifier: GPL-2.0-only
/*
 * heard.c - what heartbeats say of each backend, and for how long none came
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/health/heartbeats.h"
#include "LoadBalancer/health/schedule.h"
#include "common/core/abi_services.h"

/* Until the loop has read what came in time. */
static const struct timeval moment = {0, 1000};
#define MOST_TRIES 1000

static __u64 day_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
}

/* Milliseconds without a heartbeat that are a verdict. */
static __u32 patience(const struct checked *backend)
{
	__u32 interval = backend->all->config->heartbeat_interval;

	/* While a change of the file is rolled out, the two may differ. */
	if (backend->heard.interval > interval)
		interval = backend->heard.interval;
	return interval * backend->check.fall;
}

static void wait_for(struct checked *backend)
{
	__u64 passed = microseconds_now() - backend->heard.heard_at;
	__u64 all = (__u64)patience(backend) * 1000;
	__u64 left = all > passed ? all - passed : 0;
	struct timeval time = {(time_t)(left / 1000000),
			       (suseconds_t)(left % 1000000)};

	event_add(backend->heard.late, &time);
}

static void begin_anew(struct checked *backend)
{
	backend->heard.heard_at = microseconds_now();
	wait_for(backend);
}

static void late(evutil_socket_t fd, short what, void *data)
{
	struct checked *backend = data;
	struct heard *heard = &backend->heard;
	struct checks *all = backend->all;
	__u32 most = patience(backend);
	bool is_read;

	(void)fd;
	(void)what;
	if (!heartbeats_can_hear(all->heartbeats)) {
		heard->at = 0;
		heard->tries = 0;
		begin_anew(backend);
		return;
	}
	/*
	 * This process may have been stopped, or be flooded: it is in the
	 * socket then, but not for longer than that.
	 */
	if (!heard->at)
		heard->at = day_now();
	is_read = heartbeats_read_to(all->heartbeats, heard->at);
	if (!is_read && ++heard->tries < MOST_TRIES) {
		event_add(heard->late, &moment);
		return;
	}
	heard->at = 0;
	heard->tries = 0;
	if (microseconds_now() - heard->heard_at < (__u64)most * 1000) {
		wait_for(backend);
		return;
	}
	backend->bad++;
	heartbeat_verdict_missed(&heard->verdict, most / 1e3);
	checked_settle(backend);
}

int heard_begin(struct checked *backend, const struct backend *from)
{
	struct heard *heard = &backend->heard;

	heard->wanted = health_heartbeats(&backend->check);
	heard->late = evtimer_new(backend->all->prober.base, late, backend);
	heartbeat_verdict_begin(&heard->verdict, heard->wanted, from->finding);
	if (heard->late && heard->wanted)
		begin_anew(backend);
	return heard->late ? 0 : -1;
}

void heard_end(struct checked *backend)
{
	if (backend->heard.late)
		event_free(backend->heard.late);
	backend->heard.late = NULL;
}

void heard_follow(struct checked *backend)
{
	enum heartbeat_use wanted = health_heartbeats(&backend->check);
	struct heard *heard = &backend->heard;

	if (wanted == heard->wanted) {
		if (wanted && !heard->verdict.is_missing)
			wait_for(backend);
		return;
	}
	if (!heard->wanted || !wanted) {
		heartbeat_verdict_begin(&heard->verdict, wanted,
					wanted == HEARTBEATS_ALONE
						? backend->finding
						: FINDING_NONE);
		event_del(heard->late);
		if (wanted)
			begin_anew(backend);
	}
	heard->wanted = wanted;
	checked_settle(backend);
}

/* As bsearch() and qsort() compare rows of by_backend. */
static int by_backend(const void *a, const void *b)
{
	const struct checked *x = *(struct checked *const *)a;
	const struct checked *y = *(struct checked *const *)b;
	int order = memcmp(&x->service, &y->service, sizeof(x->service));

	return order
		       ?: memcmp(&x->probe.backend, &y->probe.backend,
				 sizeof(x->probe.backend));
}

int heard_index(struct checks *checks)
{
	size_t i, count = 0;

	free(checks->by_backend);
	checks->heartbeat_count = 0;
	checks->by_backend =
		calloc(checks->count + 1, sizeof(struct checked *));
	if (!checks->by_backend)
		return -1;
	for (i = 0; i < checks->count; i++) {
		if (checks->rows[i]->heard.wanted)
			checks->by_backend[count++] = checks->rows[i];
	}
	qsort(checks->by_backend, count, sizeof(struct checked *), by_backend);
	checks->heartbeat_count = count;
	return 0;
}

bool checks_heard(struct checks *checks, const struct heard_service *said)
{
	const struct heartbeat_service *service = said->service;
	struct checked wanted = {.service = service->key,
				 .probe.backend = service->backend};
	struct checked *key = &wanted, **found, *backend;

	found = checks->heartbeat_count ? bsearch(&key, checks->by_backend,
						  checks->heartbeat_count,
						  sizeof(key), by_backend)
					: NULL;
	if (!found)
		return false;
	backend = *found;
	backend->heard.interval = said->interval;
	backend->heard.flows = service->flows;
	backend->heard.moved = service->moved;
	begin_anew(backend);
	if (said->clock_is_wrong) {
		heartbeat_verdict_clock(&backend->heard.verdict);
		return true;
	}
	backend->good += service->state == HEARTBEAT_GOOD;
	backend->bad += service->state == HEARTBEAT_BAD;
	heartbeat_verdict_heard(&backend->heard.verdict, backend->check.rise,
				service->state, service->why);
	checked_settle(backend);
	return true;
}
