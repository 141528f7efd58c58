/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * removing.h - backends and services that were removed from the file and still
 * have flows
 *
 * Such a backend stays in the generation as BACKEND_REMOVING, with an end: it
 * gets no new flows and keeps those it has; after its end, packets no longer
 * find it, whether or not a tool runs then. Each build checks whether it has a
 * flow in use; without one it is removed. A removed service stays as long as
 * one of its backends does, without a table: packets of other flows do not find
 * it. Both keep their ids until then, so if they are put back into the file,
 * they have their flows again.
 */
#pragma once

#include "LoadBalancer/generation/build.h"
#include "common/core/abi_services.h"

/*
 * Adds to the build's `backends` and `until` those that only `old` has and that
 * are to stay, and to `left` their services, if the file no longer has them.
 * The file's services and backends must be there, with their ids. Returns 0, or
 * -1 with a fault.
 */
int removing_keep(struct build *build, struct fault *fault);
