// SPDX-License-Identifier: GPL-2.0-only
#include "common/base/pulse.h"

#include <time.h>

/* How late a timer usually is on a busy machine. */
#define SLACK 5000
/* How early a timer may be: it uses the loop's clock. */
#define EARLY 1000

__u64 pulse_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (__u64)now.tv_sec * 1000000 + (__u64)now.tv_nsec / 1000;
}

/* In all, up to `now`. */
static __u64 missed(const struct pulse *pulse, __u64 now)
{
	if (!pulse->due || now <= pulse->due + SLACK)
		return pulse->missed;
	return pulse->missed + now - pulse->due;
}

void pulse_fire(struct pulse *pulse, __u64 now)
{
	pulse->missed = missed(pulse, now);
	pulse->due = pulse->waiting ? now + PULSE : 0;
}

void wait_begin(struct pulse *pulse, struct wait *wait, __u64 now,
		__u32 may_take)
{
	*wait = (struct wait){
		.begun = now,
		.may_take = may_take * 1000ULL,
		.missed = missed(pulse, now),
		.is_on = true,
	};
	pulse->waiting++;
	if (!pulse->due)
		pulse->due = now + PULSE;
}

bool pulse_left(const struct pulse *pulse, const struct wait *wait, __u64 now,
		struct timeval *left)
{
	__u64 listened = now - wait->begun;
	__u64 not_listened = missed(pulse, now) - wait->missed;

	listened -= not_listened < listened ? not_listened : listened;
	if (listened + EARLY >= wait->may_take)
		return false;
	left->tv_sec = (long)((wait->may_take - listened) / 1000000);
	left->tv_usec = (long)((wait->may_take - listened) % 1000000);
	return true;
}

static const struct timeval next = {0, PULSE};

static void fired(evutil_socket_t fd, short what, void *data)
{
	struct pulse *pulse = data;

	(void)fd;
	(void)what;
	pulse_fire(pulse, pulse_now());
	if (pulse->due)
		event_add(pulse->event, &next);
}

void pulse_begin(struct pulse *pulse, struct event_base *base,
		 struct wait *wait, __u32 may_take)
{
	if (!pulse->event)
		pulse->event = evtimer_new(base, fired, pulse);
	/* Without memory, nothing fires: then nothing counts as missed. */
	if (pulse->event && !pulse->due)
		event_add(pulse->event, &next);
	wait_begin(pulse, wait, pulse_now(), may_take);
	if (!pulse->event)
		pulse->due = 0;
}

void pulse_end(struct pulse *pulse, struct wait *wait)
{
	pulse->waiting -= wait->is_on;
	wait->is_on = false;
}

void pulse_free(struct pulse *pulse)
{
	if (pulse->event)
		event_free(pulse->event);
	pulse->event = NULL;
	pulse->due = 0;
}
