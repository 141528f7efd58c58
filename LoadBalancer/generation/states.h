/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * states.h - what health checks found, written into what runs
 *
 * It stands in the generation, so that it outlives who checks: `lbr run` that
 * begins again goes on where the last one ended. Why a backend is down stands
 * beside it, in the map `verdicts`.
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/config/config.h"

/*
 * What has been found of a backend that is about to be built; `old`: as the
 * running generation has it, or NULL.
 */
__u8 finding_of(const struct config *config,
		const struct config_service *service,
		const struct config_backend *backend,
		const struct backend *old);

/*
 * Asked of each backend that runs; `*why` is text for people, NULL or "": as it
 * was noted before.
 */
typedef enum health_finding
finding_fn(const void *data, const struct backend *backend, const char **why);

/*
 * Writes it. Where packets meet something else by it, prints what changes and
 * switches to a new generation. Returns 0, or -1 with a fault.
 */
int states_write(struct kernel *kernel, finding_fn *ask, const void *data,
		 struct fault *fault);

/*
 * Why checks found the backend down; `text` holds VERDICT_TEXT. "": it is not,
 * or nothing is known. `map`: the fd of `verdicts`.
 */
const char *states_why(int map, const struct backend *backend, char *text);
