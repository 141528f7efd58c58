/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * run.h - a tool that stays, in the foreground, beside its program
 *
 * The program does not need it: it may be killed at any moment and started
 * again.
 */
#pragma once

#include "common/serve/status.h"

struct options;

/* What a tool does meanwhile; NULL for what it does not do. */
struct work {
	int (*begin)(void *data, struct event_base *base, struct fault *fault);
	void (*applied)(void *data); /* the file, for SIGHUP */
	void (*end)(void *data);     /* also called if begin() failed */
	void *data;		     /* status_source->add()'s too */
};

/* The verb, until SIGTERM. Returns the exit status. */
int run_work(const struct role *role, const struct options *options,
	     const struct work *work);
