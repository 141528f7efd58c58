/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checks.h - the backends that are checked, and what is known of each
 */
#pragma once

#include <time.h>

#include "LoadBalancer/probe.h"
#include "LoadBalancer/running.h"
#include "common/tool/health.h"

struct checks;

struct checked {
	struct checks *all;
	struct service_key service;
	const struct config_check *check; /* of checks.config */
	struct health health;
	__u8 state; /* enum backend_state, as it runs */
	__u64 good, bad, unmade;
	time_t changed; /* `health.up`; 0: not since the start */
	struct result last;
	struct probe probe;
	struct probe application; /* direct; where the check names its port */
	unsigned int under_way;	  /* of these two */
	struct event *next;
};

struct checks {
	struct prober prober;
	struct config *config; /* what it goes by; the caller's */
	struct checked **rows; /* by backend id */
	size_t count;
	/* A backend has come up or gone down. */
	void (*changed)(struct checked *backend, void *data);
	void *data;
};

/* Goes by `config`, and what runs. Backends that are still there are known. */
int checks_sync(struct checks *checks, const struct running *running);
/* None is checked; what is known of them is forgotten. */
void checks_stop(struct checks *checks);
/* For states_write(). */
bool checks_is_up(const void *checks, const struct backend *backend);
/* NULL: it is not checked. */
const struct checked *checks_find(const struct checks *checks, __u32 id);
