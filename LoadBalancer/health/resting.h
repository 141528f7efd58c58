/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * resting.h - look, while `lbr run` runs, whether moved slots are at rest again
 * (see LoadBalancer/generation/rest.h)
 *
 * A step takes the lock and some milliseconds. If another process has the lock,
 * or another generation runs by now, it is tried again later.
 */
#pragma once

#include <event2/event.h>

#include "LoadBalancer/generation/rest.h"

struct resting {
	const struct role *role;
	struct event *event;
	struct rest rest;
	struct running running; /* while it looks */
	bool is_looking;
};

/* Returns 0, or -1 without memory. */
int resting_start(struct resting *resting, struct event_base *base);
/* This generation runs now. */
void resting_follow(struct resting *resting, const struct running *running);
void resting_stop(struct resting *resting);
