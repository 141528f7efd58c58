/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heartbeats.h - say how this host is, each `heartbeat-interval`, and when a
 * finding of its own checks changes
 *
 * Nothing is sent without a key, or if the file has no check by heartbeats for
 * this host.
 */
#pragma once

#include "Backend/health/local.h"
#include "common/base/fault.h"
#include "common/heartbeat/keys.h"

struct bkd_heartbeats {
	const struct role *role;
	const char *file; /* the configuration's path: the keys are beside it */
	struct event_base *base;
	struct locals locals;
	struct heartbeat_keys keys;
	struct heartbeat_key key; /* this host's; count 0: none */
	struct addr *own;	  /* this host's addresses */
	int own_count;

	/* As the file says. */
	struct addr targets[HEARTBEAT_TARGETS];
	int target_count;
	bool are_named;	   /* and not the default */
	int ifindexes[16]; /* for groups; 0: the route's */
	int ifindex_count;
	__be16 port;
	__u32 interval; /* milliseconds */
	__u8 digest[32];

	int fds[2];		   /* IPv4, IPv6 */
	struct event *send, *more; /* the next heartbeat; more of this one */
	__u64 instance, sequence;
	size_t next_row;    /* that is to be sent */
	int down_for;	    /* heartbeats since xdp_bkd was up */
	__u32 flows, moved; /* in all */
	__u64 busy, ticks;  /* of the CPUs, when the last one was sent */
	__u16 cpu;	    /* per mille */
	double flows_next;  /* when they are counted next: seconds_now() */
	__u64 sent_at;	    /* microseconds of CLOCK_MONOTONIC */
	struct fault said;  /* not to be repeated */
};

/* 0, or -1 with a fault. bkd_heartbeats_stop() is due in every case. */
int bkd_heartbeats_start(struct bkd_heartbeats *heartbeats,
			 struct event_base *base, struct fault *fault);
/* What runs, and this host's addresses, or may have changed. */
int bkd_heartbeats_sync(struct bkd_heartbeats *heartbeats,
			const struct config *config, const struct addr *own,
			int own_count, struct fault *fault);
void bkd_heartbeats_stop(struct bkd_heartbeats *heartbeats);
