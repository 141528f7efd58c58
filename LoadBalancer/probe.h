/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - one health check: a request to a VIP, by way of one backend
 *
 * Two things are found out and told apart. The path: do packets reach the
 * backend as a client's do, and does it answer from the VIP? The application:
 * is what it answers good?
 */
#pragma once

#include <event2/event.h>
#include <openssl/ssl.h>

#include "LoadBalancer/passage.h"
#include "common/tool/config.h"

enum outcome {
	OUTCOME_UNKNOWN, /* not asked, or no answer could tell */
	OUTCOME_GOOD,
	OUTCOME_BAD,
};

struct result {
	enum outcome path, application;
	__u32 took; /* microseconds */
	char why[96];
};

/* What probes share. */
struct prober {
	struct event_base *base;
	struct passage *passage;
	SSL_CTX *tls; /* NULL until one is needed */
};

struct probe {
	struct prober *prober;
	const struct config_check *check;
	struct addr vip, backend;
	__be16 port;
	__u32 backend_id;
	void (*done)(struct probe *probe, void *data);
	void *data;
	struct result result; /* for done() */

	/* While one is under way: */
	int fd;
	struct check_key key;
	struct bufferevent *stream; /* tcp, http, https; owns fd */
	struct event *bare;	    /* udp, and until TLS begins */
	struct event *timer;
	struct timespec begun;
};

/* done() is called once for each, not before this returns. */
void probe_start(struct probe *probe);
/* Without done(). */
void probe_stop(struct probe *probe);
