/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * states.h - write what health checks found into the running state
 *
 * It is stored in the generation, so that it outlives the process that checks:
 * a new `lbr run` continues where the last one ended. The reason why a backend
 * is down is stored beside it, in the map `verdicts`.
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/config/config.h"
#include "common/core/abi_services.h"

/*
 * What was found about a backend that is about to be built; `old`: its row in
 * the running generation, or NULL.
 */
__u8 finding_of(const struct config *config,
		const struct config_service *service,
		const struct config_backend *backend,
		const struct backend *old);

/*
 * Called for each running backend; `*why` is text for people, NULL or "": as it
 * was noted before.
 */
typedef enum health_finding
finding_fn(const void *data, const struct backend *backend, const char **why);

/*
 * Writes it. If it changes anything for packets, prints that and switches to a
 * new generation. `config`: what file_running() says of the running one, whose
 * findings are overwritten; NULL: it is read. Returns 0, or -1 with a fault.
 */
int states_write(struct kernel *kernel, struct config *config, finding_fn *ask,
		 const void *data, struct fault *fault);

/*
 * Why checks found the backend down; `text` holds VERDICT_TEXT. "": it is not
 * down, or nothing is known. `map`: the fd of `verdicts`.
 */
const char *states_why(int map, const struct backend *backend, char *text);
