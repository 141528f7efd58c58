/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verdict.h - what the heartbeats about one backend of one service mean
 *
 * They speak of the application, never of the path: a host that is silent may
 * be silent on the way of its heartbeats alone. The sender has counted `rise`
 * and `fall` of its own checks, so what it says counts at once; after a
 * silence, it has to be heard `rise` times.
 */
#pragma once

#include <stdbool.h>

#include "common/config/health.h"
#include "common/heartbeat/wire.h"

#define HEARTBEAT_VERDICT 96

struct heartbeat_verdict {
	__u8 finding; /* FINDING_NONE, _UP or _APPLICATION_DOWN */
	__u8 state;   /* enum heartbeat_state, as heard last */
	bool is_missing, clock_is_wrong;
	__u32 good;		     /* consecutive, after a silence */
	char why[HEARTBEAT_VERDICT]; /* "": it is not down */
};

/* `finding`: the running generation's, which heartbeats take over. */
void heartbeat_verdict_begin(struct heartbeat_verdict *verdict,
			     enum heartbeat_use wanted, __u8 finding);
/* One that was taken has said this. */
void heartbeat_verdict_heard(struct heartbeat_verdict *verdict, __u32 rise,
			     __u8 state, const char *why);
/* One has come, and its clock is wrong: it says only that it came. */
void heartbeat_verdict_clock(struct heartbeat_verdict *verdict);
/* None came for `seconds`. */
void heartbeat_verdict_missed(struct heartbeat_verdict *verdict,
			      double seconds);
/* "silent", "good", ...: what to show. */
const char *heartbeat_verdict_word(const struct heartbeat_verdict *verdict);

/* What the checks of the path and heartbeats mean together. */
enum health_finding heartbeat_join_findings(__u8 path, __u8 heartbeats);
