/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hooks.h - tell a program of each change of a service, while the loop goes on
 *
 * At most HOOKS of them run at a time, and one for a service: it is told of the
 * states in their order, and only of the last one of those that came meanwhile.
 */
#pragma once

#include <event2/event.h>

#include "LoadBalancer/host/hook.h"

#define HOOKS 8

struct hooked {
	struct service_key key;
	struct hook_call wanted;
	bool is_told, is_running;
};

struct hooks {
	char program[ANNOUNCE_TEXT]; /* "": none */
	struct hooked *services;     /* sorted by key */
	size_t count;
	struct event *child; /* SIGCHLD */
	struct hook_slot {
		struct hooks *hooks;
		struct event *late;
		pid_t pid; /* 0: free */
		struct service_key key;
	} slots[HOOKS];
};

/* Returns 0, or -1 without memory; hooks_stop() is due in every case. */
int hooks_start(struct hooks *hooks, struct event_base *base);
void hooks_stop(struct hooks *hooks);
/*
 * The services are these now, sorted by key, and become the callee's. The
 * program is told of those that are new to it or have another state.
 */
void hooks_follow(struct hooks *hooks, const char *program,
		  struct hooked *services, size_t count);
