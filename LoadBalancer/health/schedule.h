/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schedule.h - the backends that are checked, and what is known about each
 */
#pragma once

#include "LoadBalancer/generation/read.h"
#include "common/probe/probe.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"
#include "common/heartbeat/verdict.h"

struct checks;

/* What heartbeats say of a backend of one service. */
struct heard {
	enum heartbeat_use wanted;
	struct heartbeat_verdict verdict;
	__u64 heard_at;	    /* or awaited since; CLOCK_MONOTONIC, us */
	__u64 at;	    /* the wait ended, CLOCK_REALTIME, us; 0: not yet */
	__u32 tries;	    /* since then */
	__u32 interval;	    /* milliseconds, as the sender says */
	__u32 flows, moved; /* as it says */
	struct event *late;
};

struct checked {
	struct checks *all;
	struct service_key service;
	struct config_check check; /* a copy: the file may be gone */
	struct health health;
	struct heard heard;
	__u8 finding; /* enum health_finding: of both together */
	__u64 good, bad, skipped;
	struct result last;
	char why[VERDICT_TEXT];	  /* of the last check that was bad */
	char noted[VERDICT_TEXT]; /* why it is down, as last reported */
	struct probe probe;
	struct probe application; /* at the backend itself, if the check has
				     `application-port` */
	unsigned int under_way;	  /* of these two */
	struct event *next;
};

struct checks {
	struct prober prober;
	struct config *config;	     /* the path of its packets; the caller's */
	struct checked **rows;	     /* by backend id */
	struct checked **by_backend; /* those with heartbeats, by service and
					address */
	size_t heartbeat_count;
	size_t count;
	struct heartbeats *heartbeats; /* who listens for them */
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
bool checked_is_down(const struct checked *backend);

/* What a heartbeat says of a service. */
struct heard_service {
	const struct heartbeat_service *service;
	__u32 interval;	     /* milliseconds */
	bool clock_is_wrong; /* nothing else is believed */
};
/* Returns whether this backend has heartbeats here. */
bool checks_heard(struct checks *checks, const struct heard_service *heard);

/* For heard.c: a finding, or its reason, may have changed. */
void checked_settle(struct checked *backend);
/* heard.c: what `from` says is taken over. 0, or -1 without memory. */
int heard_begin(struct checked *backend, const struct backend *from);
void heard_end(struct checked *backend);
/* Its check, or its file, may be another. */
void heard_follow(struct checked *backend);
/* Those with heartbeats, for checks_heard(). 0, or -1 without memory. */
int heard_index(struct checks *checks);

/* For states_write(). */
enum health_finding checks_finding(const void *checks,
				   const struct backend *backend,
				   const char **why);
