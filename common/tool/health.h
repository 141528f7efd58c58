/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * health.h - when a backend is up, by its checks; and which checks make sense
 */
#pragma once

#include "common/tool/config.h"
#include "common/tool/refusal.h"

/* Of one backend of one service. */
struct health {
	bool up;
	bool proven; /* a check has been good, or it was found down */
	__u32 row;   /* checks in a row that speak against `up` */
};

/* Takes the result of a check. Returns whether `up` has changed. */
bool health_note(struct health *health, const struct config_check *check,
		 bool good);

/*
 * Milliseconds from a check's begin to that of the next. After a bad one it
 * comes sooner, by the time that its answer was waited for, or is_down would be
 * later than it may.
 */
__u32 health_pause(const struct config_check *check, bool good);

/* 0, or -1 with the refusal of a check that this service cannot have. */
int health_refuse(const struct config_service *service,
		  const struct refusal *refusal);

/* As that, of what services can only have beside each other. */
int health_refuse_ports(const struct config *config,
			const struct refusal *refusal);
