/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaving.h - backends that have left the file and still have flows
 *
 * Such a one stays in the generation, as BACKEND_LEAVING, with an end: it gets
 * no new flows, keeps those it has, and where its end has come packets find it
 * no longer, whether or not a tool runs then. Each build looks again whether it
 * has a flow in use; without one it goes.
 */
#pragma once

#include "LoadBalancer/running.h"

/*
 * Adds to `backends` and `until` (BACKEND_SLOTS each, by index) those that
 * only `old` has and that are to stay. `services`: those of the file, in its
 * order, with their ids. Returns 0, or -1 with a fault.
 */
int leaving_keep(const struct kernel *kernel, const struct config *config,
		 const struct running *old, const struct service *services,
		 struct backend *backends, __u64 *until, struct fault *fault);
