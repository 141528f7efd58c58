/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * plan_draft.h - a step of a plan under construction
 */
#pragma once

#include "common/config/plan.h"
#include "common/config/plan_pool.h"

/* A round of all services; `left_out`: by service of the draft, not now. */
struct draft {
	const struct config *running, *wanted;
	struct config config;
	struct config_backend *backends; /* of all its services */
	bool *left_out;
	enum plan_round round;
};

/* What belongs to no service. Returns 0, or -1; draft_free() is due. */
int draft_open(struct draft *draft);
void draft_free(struct draft *draft);
/* All services after `round`, but for those that are left out. */
void draft_fill(struct draft *draft);
