/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - a tool that stays, in the foreground, beside its program
 *
 * The program does not need it: it may be killed at any moment and started
 * again.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "common/tool/status.h"

struct options;
struct sockaddr_un;

/* What a tool does meanwhile; what it need not do is NULL. */
struct work {
	int (*begin)(void *data, struct event_base *base, struct fault *fault);
	void (*applied)(void *data); /* the file, for SIGHUP */
	void (*end)(void *data);     /* also where begin() has failed */
	void *data;		     /* telling->add()'s too */
};

/* The verb, until SIGTERM. Returns the exit status. */
int run_work(const struct role *role, const struct options *options,
	     const struct work *work);

/*
 * The abstract socket that the tool listens on while it runs: its length. It is
 * of the network namespace, and gone with the process, however that ends.
 */
socklen_t run_name(const struct role *role, struct sockaddr_un *name);
/* Does the tool's `run` run here? Somebody has that name. */
bool run_is_alive(const struct role *role);
