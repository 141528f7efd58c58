/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - what `run` serves: one snapshot, in three forms
 *
 * The snapshot is `show -j`, with the tool's own additions.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "common/kernel/kernel.h"
#include "common/serve/metrics.h"
#include "common/serve/server.h"

/* The tool's own additions. */
struct status_source {
	const struct metric *metrics;
	const char *page;
	/* `kernel` is NULL if the program is not up. */
	void (*add)(void *data, const struct kernel *kernel, json_t *root);
};

struct status {
	const struct role *role;
	void *data; /* for status_source->add() */
	time_t started;
};

/* Of a struct status. */
extern const struct document_at status_documents[];
