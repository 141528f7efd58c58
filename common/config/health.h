/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * health.h - what a backend's checks say of it; and which checks make sense
 */
#pragma once

#include "common/config/config.h"
#include "common/config/refusal.h"

/* What one check has found out, of the path and of the application. */
enum outcome {
	OUTCOME_UNKNOWN, /* not asked, or no answer could tell */
	OUTCOME_GOOD,
	OUTCOME_BAD,
};

/*
 * What that says of the backend. `silent`: it was sent, and no answer was asked
 * for. FINDING_NONE: it could not be asked.
 */
enum health_finding health_verdict(const struct config_check *check,
				   enum outcome path, enum outcome application,
				   bool silent);

/* What an errno says that came after the request had left its socket. */
bool health_is_answer(int error); /* the backend's: a reset, a refusal */
/* Did a lack of this host's own resources keep it from being sent? */
bool health_is_own_lack(int error);

/*
 * Of one backend of one service. `finding` begins with what the running
 * generation says; the rest with 0. The counts are of checks in a row.
 */
struct health {
	__u8 finding; /* enum health_finding */
	__u32 good, bad;
	__u32 path_good, path_bad;
};

/*
 * Takes what one check has found: FINDING_NONE where it says nothing of the
 * backend. Returns whether `finding` has changed.
 *
 * A path is down when `fall` checks in a row have found it so, whatever others
 * found before; so a backend's flows are not moved for one lost packet in
 * between two bad answers. Of a backend that nothing is known of, the first
 * check says enough.
 */
bool health_note(struct health *health, const struct config_check *check,
		 __u8 finding);
bool health_is_down(const struct health *health);

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
