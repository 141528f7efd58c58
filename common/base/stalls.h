/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * stalls.h - for how long this process did not listen to its sockets
 *
 * It may have been stopped, or have waited for a CPU or a lock: a check's
 * answer that came meanwhile is not late. While something is awaited, a timer
 * fires each STALLS_TICK microseconds; how late it fires is time that was
 * missed. All times are microseconds of CLOCK_MONOTONIC.
 */
#pragma once

#include <event2/event.h>
#include <linux/types.h>
#include <stdbool.h>

#define STALLS_TICK 25000

struct stalls {
	struct event *event;
	unsigned int waiting; /* waits that have not ended */
	__u64 due;	      /* when it fires next; 0: it is off */
	__u64 missed;	      /* in all, until it last fired */
};

/* For one answer. Begins as zero. */
struct wait {
	__u64 begun, may_take;
	__u64 missed; /* of all, when it began */
	bool is_on;
};

__u64 microseconds_now(void);
/* `may_take` in milliseconds. */
void stalls_begin(struct stalls *stalls, struct event_base *base,
		  struct wait *wait, __u32 may_take);
/* Also for one that is not on. */
void stalls_end(struct stalls *stalls, struct wait *wait);
void stalls_free(struct stalls *stalls);

/* With the time passed in: the timer fires; a wait begins. */
void stalls_fire(struct stalls *stalls, __u64 now);
void wait_begin(struct stalls *stalls, struct wait *wait, __u64 now,
		__u32 may_take);
/*
 * Has the answer had less time than it may take, but for what was missed? Then
 * *left is what is left of it.
 */
bool stalls_left(const struct stalls *stalls, const struct wait *wait,
		 __u64 now, struct timeval *left);
