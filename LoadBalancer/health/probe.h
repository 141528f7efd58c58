/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - one request of a health check: to a VIP, by way of one backend
 *
 * Two things are found out and told apart. The path: do packets reach the
 * backend as a client's do, and does it answer from the VIP? The application:
 * is what it answers good? One that is direct asks at the backend's own
 * address, as any socket would, and finds out nothing of the path.
 */
#pragma once

#include <event2/event.h>
#include <openssl/ssl.h>

#include "LoadBalancer/health/check_path.h"
#include "LoadBalancer/health/http_answer.h"
#include "common/base/pulse.h"
#include "common/config/health.h"

#define WHY 96

struct result {
	enum outcome path, application;
	bool silent;		/* sent, and no answer was asked for */
	__u32 took;		/* microseconds */
	char why[VERDICT_TEXT]; /* of a check: of up to two probes */
};
_Static_assert(VERDICT_TEXT >= 2 * WHY + 16, "two probes' and a port");

/* What probes share. */
struct prober {
	struct event_base *base;
	struct passage *passage;
	SSL_CTX *tls; /* NULL until one is needed */
	struct pulse pulse;
};

struct probe {
	struct prober *prober;
	const struct config_check *check;
	__u8 type; /* enum check_type; the check's, or less */
	bool direct;
	struct addr vip, backend;
	__be16 port;
	__be16 client_port; /* of the VIP, as clients name it */
	__u32 backend_id;
	void (*done)(struct probe *probe, void *data);
	void *data;
	struct result result; /* for done() */
	struct check_key key; /* of its last socket, or protocol 0 */
	bool heard;	      /* it has answered, by way of xdp_lbr */
	bool told;	      /* that it cannot be heard */
	int elsewhere;	      /* see passage_socket() */

	/* While one is under way: */
	int fd;
	struct bufferevent *stream; /* tcp, http, https; owns fd */
	struct http_answer *answer;
	struct event *bare; /* udp, and until TLS begins */
	struct event *timer;
	struct wait wait;
};

/* done() is called once for each, not before this returns. */
void probe_start(struct probe *probe);
/* Without done(). */
void probe_stop(struct probe *probe);
/* ... and there will be no other. */
void probe_end(struct probe *probe);
