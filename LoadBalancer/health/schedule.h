/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schedule.h - the backends that are checked, and what is known about each
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/probe/probe.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"

struct checks;

struct checked {
	struct checks *all;
	struct service_key service;
	struct config_check check; /* a copy: the file may be gone */
	struct health health;
	__u64 good, bad, skipped;
	struct result last;
	char noted[VERDICT_TEXT]; /* why it is down, as last reported */
	struct probe probe;
	struct probe application; /* at the backend itself, if the check has
				     `application-port` */
	unsigned int under_way;	  /* of these two */
	struct event *next;
};

struct checks {
	struct prober prober;
	struct config *config; /* the path of its packets; the caller's */
	struct checked **rows; /* by backend id */
	size_t count;
	/*
	 * The finding or its reason has changed. `is_news`: the backend came up
	 * or went down, or the reason of a backend that is down has changed.
	 */
	void (*changed)(struct checked *backend, bool is_news, void *data);
	void *data;
};

/*
 * Checks what `config`, and what runs, asks for. Backends that are still there
 * keep what is known. Returns 0, or -1 with a fault.
 */
int checks_sync(struct checks *checks, const struct running *running,
		struct fault *fault);
/* Checks nothing; what is known is forgotten. */
void checks_stop(struct checks *checks);
/* For states_write(). */
enum health_finding checks_finding(const void *checks,
				   const struct backend *backend,
				   const char **why);
