// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/health/unmarking.h"

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

static void look_end(struct unmarking *unmarking)
{
	if (!unmarking->is_looking)
		return;
	unmark_close(&unmarking->unmark);
	running_free(&unmarking->running);
	unmarking->is_looking = false;
}

/* Reads what runs, and begins to look. False: it cannot be read. */
static bool look_begin(struct unmarking *unmarking, struct kernel *kernel)
{
	struct fault ignored;

	if (running_read(kernel, generation_current(kernel),
			 &unmarking->running, &ignored))
		return false;
	unmarking->is_looking = true;
	return !unmark_open(&unmarking->unmark, kernel, &unmarking->running);
}

/* With the lock. Returns how long until the next step; NULL: there is none. */
static const struct timeval *step(struct unmarking *unmarking,
				  struct kernel *kernel)
{
	size_t count;

	if (unmarking->is_looking &&
	    kernel->number != unmarking->running.generation.number)
		look_end(unmarking);
	if (!unmarking->is_looking && !look_begin(unmarking, kernel)) {
		look_end(unmarking);
		return &later;
	}
	if (!unmark_step(&unmarking->unmark, STEP_WAYS))
		return &next_step;
	count = unmark_end(&unmarking->unmark, kernel);
	if (count)
		printf("%zu slots are at rest again: their flows are where the "
		       "table says\n",
		       count);
	if (unmarking->unmark.is_again) {
		look_end(unmarking);
		return &next_step;
	}
	return unmark_is_wanted(&unmarking->running) ? &later : NULL;
}

static void look(evutil_socket_t fd, short what, void *data)
{
	struct unmarking *unmarking = data;
	const struct timeval *next;
	struct fault ignored;
	struct kernel kernel;
	int rc = kernel_open(&kernel, unmarking->role, ACCESS_TRY, &ignored);

	(void)fd;
	(void)what;
	if (rc)
		next = rc == KERNEL_BUSY ? &soon : NULL;
	else
		next = step(unmarking, &kernel);
	kernel_close(&kernel);
	if (next != &next_step && next != &soon)
		look_end(unmarking);
	if (next)
		event_add(unmarking->event, next);
}

int unmarking_start(struct unmarking *unmarking, struct event_base *base)
{
	unmarking->event = evtimer_new(base, look, unmarking);
	return unmarking->event ? 0 : -1;
}

void unmarking_follow(struct unmarking *unmarking,
		      const struct running *running)
{
	if (unmark_is_wanted(running) &&
	    !evtimer_pending(unmarking->event, NULL))
		event_add(unmarking->event, &first);
}

void unmarking_stop(struct unmarking *unmarking)
{
	look_end(unmarking);
	if (unmarking->event)
		event_free(unmarking->event);
	unmarking->event = NULL;
}
