/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_pool.h - one service's backends and table, a round further
 */
#pragma once

#include "common/config/config.h"

enum plan_round { ROUND_BEGIN, ROUND_END };

/*
 * Can the change between these two go in rounds? `service`: what both have
 * together, as made by plan_union().
 */
bool plan_in_rounds(const struct config_service *service,
		    const struct config_service *running,
		    const struct config_service *wanted);

/*
 * Gives `service` the backends of both, those that run first. Its array has
 * room for them.
 */
void plan_union(struct config_service *service,
		const struct config_service *running,
		const struct config_service *wanted);

/*
 * Gives `service` the backends and the table that it has after the round, from
 * those that run to those that are wanted. Its array has room for both.
 */
void plan_pool(struct config_service *service,
	       const struct config_service *running,
	       const struct config_service *wanted, enum plan_round round);

/* The same where backends do not look for flows at each other. */
void plan_at_once(struct config_service *service,
		  const struct config_service *running,
		  const struct config_service *wanted, enum plan_round round);
