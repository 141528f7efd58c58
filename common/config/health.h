/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * health.h - judge a backend by its checks; which checks a service can have
 */
#pragma once

#include "common/config/config.h"
#include "common/config/refusal.h"
#include "common/core/abi_services.h"

/* What one check has found about the path and the application. */
enum outcome {
	OUTCOME_UNKNOWN, /* not asked, or no answer could tell */
	OUTCOME_GOOD,
	OUTCOME_BAD,
};

/*
 * What that means for the backend. `silent`: it was sent, and no answer was
 * expected. FINDING_NONE: it could not be asked.
 */
enum health_finding health_verdict(const struct config_check *check,
				   enum outcome path, enum outcome application,
				   bool silent);

/* What an errno means that came after the request left its socket. */
bool health_is_answer(int error); /* the backend's: a reset, a refusal */
/* Was it not sent for lack of this host's own resources? */
bool health_is_own_lack(int error);

/*
 * Of one backend of one service. `finding` begins with the running
 * generation's; everything else with 0. The counts are of consecutive checks.
 */
struct health {
	__u8 finding; /* enum health_finding */
	__u32 good, bad;
	__u32 path_good, path_bad;
};

/*
 * Takes the result of one check: FINDING_NONE if it says nothing about the
 * backend. Returns whether `finding` has changed.
 *
 * A path is down when `fall` consecutive checks found it down, whatever was
 * found before. So a backend's flows are not moved because of one lost packet
 * between two bad answers. For a backend about which nothing is known, the
 * first check is enough.
 */
bool health_note(struct health *health, const struct config_check *check,
		 __u8 finding);
bool health_is_down(const struct health *health);

/*
 * Milliseconds from the begin of a check to the next. After a bad one the next
 * comes sooner, by the time spent waiting for its answer; otherwise is_down
 * would be later than promised.
 */
__u32 health_pause(const struct config_check *check, bool good);

/* Who makes this check: enum heartbeat_use. */
enum heartbeat_use health_heartbeats(const struct config_check *check);
/* The check as a backend makes it of itself: *local is as it is read. */
void health_local(const struct config_service *service,
		  struct config_check *local);
/* Has any service heartbeats? */
bool heartbeats_wanted(const struct config *config);
/*
 * Where heartbeats go: `heartbeat-to`, or the two groups of HEARTBEAT_GROUP_*.
 * Returns their number, at most HEARTBEAT_TARGETS.
 */
#define HEARTBEAT_TARGETS 16
int heartbeat_targets(const struct config *config,
		      struct addr targets[HEARTBEAT_TARGETS]);
bool addr_is_group(const struct addr *address);

/* 0, or -1 with the refusal of a check that this service cannot have. */
int health_refuse(const struct config_service *service,
		  const struct refusal *refusal);

/* The same of `heartbeat-to`. */
int health_refuse_targets(const struct config *config,
			  const struct refusal *refusal);

/* The same for conflicts with other services. */
int health_refuse_ports(const struct config *config,
			const struct refusal *refusal);
