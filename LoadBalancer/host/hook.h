/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hook.h - the program that is told when a service's state changes
 */
#pragma once

#include <sys/types.h>

#include "LoadBalancer/generation/fitness.h"
#include "common/base/fault.h"

#ifndef HOOK_TIME
#define HOOK_TIME 5 /* seconds; then it is ended */
#endif

/* Its arguments. */
struct hook_call {
	char service[80]; /* "192.0.2.1:80/tcp" */
	enum announced state;
	size_t up, total;
	char why[384]; /* "": it is fit */
};

void hook_service(const struct service_key *key, char service[80]);

/*
 * Starts it, in a process group of its own. Returns its id, or -1 with a fault.
 */
pid_t hook_start(const char *program, const struct hook_call *call,
		 struct fault *fault);
/* Has it ended? If so, and badly, `fault` says how; else its cause is "". */
bool hook_has_ended(pid_t pid, const char *program, struct fault *fault);
/* Ends it, and what it has started. */
void hook_end(pid_t pid);
/* Waits until it has ended, or ends it. 0, or -1 with a fault. */
int hook_wait(pid_t pid, const char *program, struct fault *fault);
