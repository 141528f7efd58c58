/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * status.h - what `run` tells who looks: one snapshot, in three forms
 *
 * The snapshot is `show -j`, with what the tool adds.
 */
#pragma once

#include <jansson.h>
#include <time.h>

#include "common/kernel/kernel.h"
#include "common/serve/metrics.h"
#include "common/serve/server.h"

/* What a tool has of its own to tell. */
struct telling {
	const struct metric *metrics;
	const char *page;
	/* `kernel` is NULL where the program is not up. */
	void (*add)(void *data, const struct kernel *kernel, json_t *root);
};

struct status {
	const struct role *role;
	void *data; /* for telling->add() */
	time_t started;
};

/* Of a struct status. */
extern const struct document_at status_documents[];
