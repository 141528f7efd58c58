/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * show.h - what the sections of `lbr show` share
 */
#pragma once

#include <jansson.h>

#include "LoadBalancer/generation/read.h"
#include "common/base/fault.h"
#include "common/core/abi_packets.h"

/* Everything is read before anything is printed. */
struct show {
	struct running running;
	struct backend_count *counts; /* BACKEND_INDEXES of them */
};

/* show_states.c: the rows of a section; NULL with errno. */
json_t *services_rows(const struct kernel *kernel, const struct show *show);
json_t *backends_rows(const struct kernel *kernel, const struct show *show);
/* show_workers.c: the same. */
json_t *workers_rows(const struct kernel *kernel, const struct show *show);
json_t *queues_rows(const struct kernel *kernel, const struct show *show);
json_t *waits_rows(const struct kernel *kernel, const struct show *show);
/* Has what runs any service of `scheduler: workers`? */
bool workers_are_there(const struct kernel *kernel);
/*
 * show_nat.c: the same. Without a service by nat there are none; of a large
 * table, all rows are read (1 GiB with the largest nat-table-size).
 */
json_t *nat_sources_rows(const struct kernel *kernel);
json_t *nat_flows_rows(const struct kernel *kernel, const struct show *show);
/* show.c: the section, for what `run` serves; NULL with a fault. */
json_t *heartbeats_section(const struct kernel *kernel, struct fault *fault);
/* show_heartbeats.c: the same. */
json_t *heartbeats_rows(const struct kernel *kernel, const struct show *show);
