// SPDX-License-Identifier: GPL-2.0-only
#include "common/heartbeat/verdict.h"

#include <stdio.h>
#include <string.h>

void heartbeat_verdict_begin(struct heartbeat_verdict *verdict,
			     enum heartbeat_use wanted, __u8 finding)
{
	bool is_down =
		finding == FINDING_APPLICATION_DOWN ||
		(finding == FINDING_PATH_DOWN && wanted == HEARTBEATS_ALONE);

	*verdict = (struct heartbeat_verdict){0};
	if (wanted && is_down)
		verdict->finding = FINDING_APPLICATION_DOWN;
	else if (wanted == HEARTBEATS_ALONE)
		verdict->finding = finding;
}

void heartbeat_verdict_heard(struct heartbeat_verdict *verdict, __u32 rise,
			     __u8 state, const char *why)
{
	verdict->state = state;
	verdict->clock_is_wrong = false;
	if (state == HEARTBEAT_UNKNOWN)
		return;
	if (state == HEARTBEAT_BAD) {
		verdict->finding = FINDING_APPLICATION_DOWN;
		verdict->is_missing = false;
		verdict->good = 0;
		snprintf(verdict->why, sizeof(verdict->why), "heartbeat: %s",
			 *why ? why : "bad");
		return;
	}
	if (verdict->is_missing && ++verdict->good < rise)
		return;
	verdict->finding = FINDING_UP;
	verdict->is_missing = false;
	verdict->good = 0;
	*verdict->why = '\0';
}

void heartbeat_verdict_clock(struct heartbeat_verdict *verdict)
{
	verdict->clock_is_wrong = true;
}

void heartbeat_verdict_missed(struct heartbeat_verdict *verdict, double seconds)
{
	verdict->finding = FINDING_APPLICATION_DOWN;
	verdict->is_missing = true;
	verdict->good = 0;
	snprintf(verdict->why, sizeof(verdict->why), "no heartbeat for %.3g s",
		 seconds);
}

const char *heartbeat_verdict_word(const struct heartbeat_verdict *verdict)
{
	static const char *const words[HEARTBEAT_STATES] = {
		[HEARTBEAT_UNKNOWN] = "unknown",
		[HEARTBEAT_GOOD] = "good",
		[HEARTBEAT_BAD] = "bad",
	};

	return verdict->is_missing	 ? "missing"
	       : verdict->clock_is_wrong ? "wrong-clock"
					 : words[verdict->state];
}

enum health_finding heartbeat_join_findings(__u8 path, __u8 heartbeats)
{
	if (path == FINDING_PATH_DOWN)
		return FINDING_PATH_DOWN;
	if (path == FINDING_APPLICATION_DOWN ||
	    heartbeats == FINDING_APPLICATION_DOWN)
		return FINDING_APPLICATION_DOWN;
	return path == FINDING_UP || heartbeats == FINDING_UP ? FINDING_UP
							      : FINDING_NONE;
}
