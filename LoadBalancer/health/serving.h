/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * serving.h - send requests that wait for workers where no packet does
 *
 * An XDP program runs only when a packet comes. Mostly that is the server's
 * message that frees a thread: the oldest request leaves in its place. But no
 * packet comes when a lease ends, a backend comes back, or another file has
 * more threads; and a message may be too small for the oldest request.
 */
#pragma once

#include <event2/event.h>

#include "LoadBalancer/generation/queues.h"
#include "LoadBalancer/generation/read.h"

struct served_pool;

struct serving {
	const struct role *role;
	struct event *event; /* pending while a service of workers runs */
	struct pool_maps maps;
	bool is_open; /* the maps are */
	struct served_pool *pools;
	size_t count;
	int pass; /* fd of a program that passes everything up; 0: none yet */
};

/* Returns 0, or -1: no memory. */
int serving_start(struct serving *serving, struct event_base *base);
/* What runs now: looks after its services of workers. */
void serving_follow(struct serving *serving, const struct config *config,
		    const struct running *running);
/* Nothing runs. */
void serving_rest(struct serving *serving);
void serving_stop(struct serving *serving);
