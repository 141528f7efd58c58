/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transition.h - backends whose share of the flows changes
 *
 * Such a backend has two weights, before and after: one that fills has 0
 * before, one that drains has 0 after. See common/tables/candidates.h.
 */
#pragma once

#include "common/config/config.h"
#include "common/config/refusal.h"

/* Backends of one service that may be in transition at a time. */
#define MOST_IN_TRANSITION 3

__u16 weight_before(const struct config_backend *backend);
__u16 weight_after(const struct config_backend *backend);

/*
 * Do backends look for flows at each other? Only of TCP, whose sockets they can
 * look up, by a method that writes the backend's address into the packet, and
 * by a scheduler that is a function of the flow. More than MOST_IN_TRANSITION
 * that drain, as a file could always say: no.
 */
bool has_second_chance(const struct config_service *service);

/*
 * Settles what the keys said: `state: draining` becomes `drain`. Refuses a
 * backend with more than two weights, and a service with too many backends in
 * transition.
 */
int transitions_settle(struct config *config, const struct refusal *refusal);
