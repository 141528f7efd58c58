/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <time.h>

/* CLOCK_MONOTONIC, seconds: for how long something takes. */
static inline double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The same in whole milliseconds. */
static inline long milliseconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * When something happened, in milliseconds of CLOCK_BOOTTIME: not the time of
 * day, which may be set. event_time() is the time of day then, as far as it is
 * known now; 0 for 0.
 */
static inline unsigned long long event_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (unsigned long long)now.tv_sec * 1000 +
	       (unsigned long long)now.tv_nsec / 1000000;
}

static inline time_t event_time(unsigned long long event)
{
	struct timespec day, boot;
	long long nanoseconds;

	if (!event)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &day);
	nanoseconds = day.tv_nsec - boot.tv_nsec +
		      (long long)(event % 1000) * 1000000 + 1000000000;
	return day.tv_sec - boot.tv_sec + (time_t)(event / 1000) - 1 +
	       (time_t)(nanoseconds / 1000000000);
}

/*
 * CLOCK_THREAD_CPUTIME_ID, milliseconds: for what something costs. On a busy
 * machine it takes longer, and costs the same.
 */
static inline long milliseconds_worked(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
