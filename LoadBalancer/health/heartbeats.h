/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * heartbeats.h - listen for heartbeats, while the file has checks by them
 *
 * A datagram is believed only if its HMAC and its sequence are right; any other
 * is counted under the word for its fault. A turn of the loop takes at most
 * HEARTBEAT_TURN datagrams, so that a flood stops nothing else.
 */
#pragma once

#include "LoadBalancer/health/schedule.h"
#include "common/heartbeat/keys.h"
#include "common/heartbeat/wire.h"
#include "common/kernel/kernel.h"

#define HEARTBEAT_TURN 64

struct heartbeat_socket {
	struct heartbeats *all;
	int fd;
	struct event *readable;
	__u64 read_to; /* all that came before was read: CLOCK_REALTIME, us */
	__u32 overflowed; /* as the kernel counts what did not fit */
};

struct heartbeats {
	const struct role *role;
	const char *file; /* the configuration's path: the keys are beside it */
	struct event_base *base;
	struct checks *checks;
	struct heartbeat_keys keys;
	struct heartbeat_socket sockets[2]; /* IPv4, IPv6 */
	__be16 port;			    /* that they listen at */
	int map; /* fd of `heartbeats`, which outlives this process */
	__u64 counts[HEARTBEAT_WORD_COUNT];
	__u64 unlisted; /* services in them that are none of the host's here */
	__u64 unremembered; /* not taken, for the map could not be written */
	struct fault said;  /* not to be repeated */
};

/* `.file` is set already. */
void heartbeats_init(struct heartbeats *heartbeats, const struct role *role,
		     struct event_base *base, struct checks *checks);
/*
 * Another file runs, or another second has begun: listens, joins groups, and
 * reads keys, as far as that has changed. What cannot be done is a warning, and
 * tried again. `again`: the maps may be others.
 */
void heartbeats_follow(struct heartbeats *heartbeats, bool again);
void heartbeats_stop(struct heartbeats *heartbeats);
/*
 * Could one be believed? Where this host lacks a socket, the map or the keys,
 * silence says nothing about backends.
 */
bool heartbeats_can_hear(const struct heartbeats *heartbeats);
/* Is all read that came before `at`, in microseconds of CLOCK_REALTIME? */
bool heartbeats_read_to(struct heartbeats *heartbeats, __u64 at);
/* For the event of a socket, which is its data. */
void heartbeats_readable(evutil_socket_t fd, short what, void *data);
/* What did not fit into the kernel's buffers. */
__u64 heartbeats_overflowed(const struct heartbeats *heartbeats);
