/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * build.h - a generation under construction: what build.c and slots.c share
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/core/abi_services.h"

struct left {
	struct running_service service;
	__u64 until; /* jiffies */
};

struct build {
	struct kernel *kernel;
	const struct config *config;
	__u32 generation_index;
	struct generation *generation; /* to be completed */
	struct running old;

	struct service *services; /* as in the file */
	__u64 *table_inputs;	  /* as many; see struct backend_rows */
	__u16 *indices; /* of the file's backends, service by service */
	size_t placed;	/* of them */
	struct backend *backends; /* BACKEND_INDEXES, by index */
	__u64 *until;		  /* as many; of those that are being removed */
	struct left *left; /* services that were removed from the file, ... */
	size_t left_count; /* ... the one that stays longest first */
	__u32 last_index;  /* where the search for a free index continues */
	__u32 service_id;  /* the last given */
	__u64 now;	   /* jiffies */
	__u64 *moved;	   /* by service of the file; struct backend_rows */
};

/*
 * deputies.c: the tables of services that forget their flows. Has any backend
 * another weight for new flows than by the file?
 */
bool owners_differ(const struct config_service *from, const __u16 *indices,
		   const struct backend *backends);
/*
 * step.c: may the file follow the running one? Returns 0, or -1 with a fault:
 * flows that are not remembered would break. With --now they may.
 */
int step_check(const struct build *build, struct fault *fault);
/*
 * slots.c: decides where each service's table lies, and fills those that no
 * generation has. Returns 0, or -1 with a fault.
 */
int tables_write(struct build *build, struct fault *fault);
/*
 * workers.c: what services of `scheduler: workers` have in maps besides.
 * Returns 0, or -1 with a fault.
 */
int workers_write(struct build *build, struct fault *fault);
/* since.c: fills in the times in `rows`. */
void since_write(const struct build *build, struct backend_rows *rows);
