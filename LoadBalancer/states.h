/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * states.h - what health checks found, written into what runs
 *
 * The generation holds it, so a restarted `lbr run` goes on where the last one
 * ended. The map `verdicts` holds the reason why a backend is down.
 */
#pragma once

#include "LoadBalancer/running.h"
#include "common/tool/config.h"

/*
 * What has been found of a backend that is about to be built; `old`: as the
 * running generation has it, or NULL.
 */
__u8 finding_of(const struct config *config,
		const struct config_service *service,
		const struct config_backend *backend,
		const struct backend *old);

/*
 * What is known now of a backend that runs. `*why`: the reason, as text; NULL
 * or "" leaves the one that was noted before.
 */
typedef enum health_finding
finding_fn(const void *data, const struct backend *backend, const char **why);

/*
 * Writes what `ask` says of each backend. Where that changes which flows a
 * backend gets, prints the difference and switches to a new generation. Returns
 * 0, or -1 with a fault.
 */
int states_write(struct kernel *kernel, finding_fn *ask, const void *data,
		 struct fault *fault);

/*
 * The reason why checks found the backend down, or "". `text` holds
 * VERDICT_TEXT bytes; `map` is the fd of `verdicts`.
 */
const char *states_why(int map, const struct backend *backend, char *text);
