/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * monitor.h - keep checks, host and running state in step
 */
#pragma once

#include "LoadBalancer/health/check_path.h"
#include "LoadBalancer/health/schedule.h"
#include "LoadBalancer/host/heard.h"
#include "common/host/upkeep.h"
#include "common/kernel/lock.h"

struct follow {
	const struct role *role;
	struct config config;
	struct check_path path;
	struct checks checks;
	struct upkeep upkeep;
	struct heard heard;
	__u64 number;	 /* of the generation whose file is checked; 0: none */
	__u8 digest[32]; /* of its file */
	struct event *look, *write;
	/* Who it waits for, if it has something to change. */
	struct lock_waiting waiting;
};

/* Returns 0, or -1 with a fault. */
int follow_start(struct follow *follow, struct event_base *base,
		 struct fault *fault);
void follow_stop(struct follow *follow);
/* The file has been applied, or may have been. */
void follow_again(struct follow *follow);
