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
 * CLOCK_THREAD_CPUTIME_ID, milliseconds: for what something costs. On a busy
 * machine it takes longer, and costs the same.
 */
static inline long milliseconds_worked(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
