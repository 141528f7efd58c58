// SPDX-License-Identifier: GPL-2.0-only
#include "common/base/stalls.h"

#include <time.h>

/* How late a timer usually is on a busy machine. */
#define SLACK 5000
/* How early a timer may be: it uses the loop's clock. */
#define EARLY 1000

__u64 microseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
}

/* In all, up to `now`. */
static __u64 missed(const struct stalls *stalls, __u64 now)
{
	if (!stalls->due || now <= stalls->due + SLACK)
		return stalls->missed;
	return stalls->missed + now - stalls->due;
}

void stalls_fire(struct stalls *stalls, __u64 now)
{
	stalls->missed = missed(stalls, now);
	stalls->due = stalls->waiting ? now + STALLS_TICK : 0;
}

void wait_begin(struct stalls *stalls, struct wait *wait, __u64 now,
		__u32 may_take)
{
	*wait = (struct wait){
		.begun = now,
		.may_take = may_take * 1000ULL,
		.missed = missed(stalls, now),
		.is_on = true,
	};
	stalls->waiting++;
	if (!stalls->due)
		stalls->due = now + STALLS_TICK;
}

bool stalls_left(const struct stalls *stalls, const struct wait *wait,
		 __u64 now, struct timeval *left)
{
	__u64 listened = now - wait->begun;
	__u64 not_listened = missed(stalls, now) - wait->missed;

	listened -= not_listened < listened ? not_listened : listened;
	if (listened + EARLY >= wait->may_take)
		return false;
	left->tv_sec = (long)((wait->may_take - listened) / 1000000);
	left->tv_usec = (long)((wait->may_take - listened) % 1000000);
	return true;
}

static const struct timeval next = {0, STALLS_TICK};

static void fired(evutil_socket_t fd, short what, void *data)
{
	struct stalls *stalls = data;

	(void)fd;
	(void)what;
	stalls_fire(stalls, microseconds_now());
	if (stalls->due)
		event_add(stalls->event, &next);
}

void stalls_begin(struct stalls *stalls, struct event_base *base,
		  struct wait *wait, __u32 may_take)
{
	if (!stalls->event)
		stalls->event = evtimer_new(base, fired, stalls);
	/* Without memory, nothing fires: then nothing counts as missed. */
	if (stalls->event && !stalls->due)
		event_add(stalls->event, &next);
	wait_begin(stalls, wait, microseconds_now(), may_take);
	if (!stalls->event)
		stalls->due = 0;
}

void stalls_end(struct stalls *stalls, struct wait *wait)
{
	stalls->waiting -= wait->is_on;
	wait->is_on = false;
}

void stalls_free(struct stalls *stalls)
{
	if (stalls->event)
		event_free(stalls->event);
	stalls->event = NULL;
	stalls->due = 0;
}
