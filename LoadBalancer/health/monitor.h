/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * monitor.h - keep checks, host and running state in step
 */
#pragma once

#include "LoadBalancer/health/announcer.h"
#include "LoadBalancer/health/check_path.h"
#include "LoadBalancer/health/heartbeats.h"
#include "LoadBalancer/health/unmarking.h"
#include "LoadBalancer/health/schedule.h"
#include "LoadBalancer/health/serving.h"
#include "LoadBalancer/host/relevant.h"
#include "common/host/upkeep.h"
#include "common/kernel/lock.h"
#include "common/kernel/quiet.h"

struct lbr_monitor {
	const struct role *role;
	struct config config;
	struct check_path path;
	struct probe_path calls; /* ... as probes use it */
	struct checks checks;
	struct heartbeats heartbeats; /* .file is the caller's */
	struct upkeep upkeep;
	struct relevant relevant;
	struct unmarking unmarking;
	struct serving serving;
	struct announcer announcer;
	__u64 number;	 /* of the generation whose file is checked; 0: none */
	__u64 switched;	 /* when it was switched to, jiffies */
	__u8 digest[32]; /* of its file */
	struct event *look, *write, *announce;
	/* Its wait for the lock, if it has something to change. */
	struct lock_waiting waiting;
	struct fault said;  /* why VIPs could not be announced just now */
	struct quiet quiet; /* its wait for packets of an earlier generation */
};

/* Returns 0, or -1 with a fault. */
int lbr_monitor_start(struct lbr_monitor *monitor, struct event_base *base,
		      struct fault *fault);
void lbr_monitor_stop(struct lbr_monitor *monitor);
/* The file has been applied, or may have been. */
void lbr_monitor_again(struct lbr_monitor *monitor);
