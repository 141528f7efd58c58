// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/resting.h"

#include <stdio.h>

#include "common/kernel/generation.h"

/* Ways of the flow table in a step: at most some milliseconds. */
#define STEP_WAYS (1 << 15)

static const struct timeval first = {1, 0};
static const struct timeval next_step = {0, 2 * 1000};
/* Until it tries again for a lock that another process holds. */
static const struct timeval soon = {0, 20 * 1000};
/* Flows of a slot, or its handshakes, have not ended yet. */
static const struct timeval later = {60, 0};

static void look_end(struct resting *resting)
{
	if (!resting->is_looking)
		return;
	rest_close(&resting->rest);
	running_free(&resting->running);
	resting->is_looking = false;
}

/* Reads what runs, and begins to look. False: it cannot be read. */
static bool look_begin(struct resting *resting, struct kernel *kernel)
{
	struct fault ignored;

	if (running_read(kernel, generation_current(kernel), &resting->running,
			 &ignored))
		return false;
	resting->is_looking = true;
	return !rest_open(&resting->rest, kernel, &resting->running);
}

/* With the lock. Returns how long until the next step; NULL: there is none. */
static const struct timeval *step(struct resting *resting,
				  struct kernel *kernel)
{
	size_t count;

	if (resting->is_looking &&
	    kernel->number != resting->running.generation.number)
		look_end(resting);
	if (!resting->is_looking && !look_begin(resting, kernel)) {
		look_end(resting);
		return &later;
	}
	if (!rest_step(&resting->rest, STEP_WAYS))
		return &next_step;
	count = rest_end(&resting->rest, kernel);
	if (count)
		printf("%zu slots are at rest again: their flows are where the "
		       "table says\n",
		       count);
	if (resting->rest.is_again) {
		look_end(resting);
		return &next_step;
	}
	return rest_is_wanted(&resting->running) ? &later : NULL;
}

static void look(evutil_socket_t fd, short what, void *data)
{
	struct resting *resting = data;
	const struct timeval *next;
	struct fault ignored;
	struct kernel kernel;
	int rc = kernel_open(&kernel, resting->role, ACCESS_TRY, &ignored);

	(void)fd;
	(void)what;
	if (rc)
		next = rc == KERNEL_BUSY ? &soon : NULL;
	else
		next = step(resting, &kernel);
	kernel_close(&kernel);
	if (next != &next_step && next != &soon)
		look_end(resting);
	if (next)
		event_add(resting->event, next);
}

int resting_start(struct resting *resting, struct event_base *base)
{
	resting->event = evtimer_new(base, look, resting);
	return resting->event ? 0 : -1;
}

void resting_follow(struct resting *resting, const struct running *running)
{
	if (rest_is_wanted(running) && !evtimer_pending(resting->event, NULL))
		event_add(resting->event, &first);
}

void resting_stop(struct resting *resting)
{
	look_end(resting);
	if (resting->event)
		event_free(resting->event);
	resting->event = NULL;
}
