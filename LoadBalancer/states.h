/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * states.h - which backends of a service take flows, by what checks found
 *
 * A file says which drain; which are down, only checks know. What they found
 * stands in the generation, so that it outlives who checks. `indices` are those
 * of a service's backends, in `backends`, which is by index.
 */
#pragma once

#include "LoadBalancer/running.h"
#include "common/tool/config.h"

/* `old`: as the running generation has it, or NULL. */
__u8 state_of(const struct config *config, const struct config_service *service,
	      const struct config_backend *backend, const struct backend *old);

/*
 * Where all are down, and `on-all-down` is `last`: those that took flows until
 * now go on, or, where there are none, all of them.
 */
void states_keep_last(const struct config_service *service,
		      const __u16 *indices, struct backend *backends,
		      const struct backend *old);
/*
 * What runs, with other states: `is_up` is asked of each backend. Prints what
 * changes, and switches to it. Returns how much has changed, or -1 with a
 * fault.
 */
int states_write(struct kernel *kernel,
		 bool (*is_up)(const void *data, const struct backend *backend),
		 const void *data, struct fault *fault);
