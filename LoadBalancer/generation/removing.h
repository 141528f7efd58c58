/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * leaving.h - backends and services that have left the file and still have
 * flows
 *
 * Such a backend stays in the generation, as BACKEND_LEAVING, with an end: it
 * gets no new flows, keeps those it has, and where its end has come packets
 * find it no longer, whether or not a tool runs then. Each build looks again
 * whether it has a flow in use; without one it goes. A service that has left
 * stays as long as one of its backends does, without a table: packets of other
 * flows do not find it. Both have their ids until then, so what is put back
 * into the file has its flows again.
 */
#pragma once

#include "LoadBalancer/generation/build.h"

/*
 * Adds to the build's `backends` and `until` those that only `old` has and that
 * are to stay, and to `left` their services where the file has them no longer.
 * The file's services and backends have to be there, with their ids. Returns 0,
 * or -1 with a fault.
 */
int leaving_keep(struct build *build, struct fault *fault);
