/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmarking.h - look, while `lbr run` runs, whether moved slots are at rest
 * again (see LoadBalancer/generation/unmark.h)
 *
 * A step takes the lock and some milliseconds. If another process has the lock,
 * or another generation runs by now, it is tried again later.
 */
#pragma once

#include <event2/event.h>

#include "LoadBalancer/generation/unmark.h"

struct unmarking {
	const struct role *role;
	struct event *event;
	struct unmark unmark;
	struct running running; /* while it looks */
	bool is_looking;
};

/* Returns 0, or -1 without memory. */
int unmarking_start(struct unmarking *unmarking, struct event_base *base);
/* This generation runs now. */
void unmarking_follow(struct unmarking *unmarking,
		      const struct running *running);
void unmarking_stop(struct unmarking *unmarking);
