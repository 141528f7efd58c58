/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - one request of a health check: to a VIP, through one backend
 *
 * It finds out two things separately. The path: do packets reach the backend as
 * a client's do, and does it answer from the VIP? The application: is the
 * answer good? A direct probe asks at the backend's own address, as any socket
 * would, and finds out nothing about the path.
 */
#pragma once

#include <event2/event.h>
#include <openssl/ssl.h>

#include "LoadBalancer/health/check_path.h"
#include "LoadBalancer/health/http_answer.h"
#include "common/base/stalls.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"

#define WHY 96

struct result {
	enum outcome path, application;
	bool silent;		/* sent, and no answer was expected */
	__u32 took;		/* microseconds */
	char why[VERDICT_TEXT]; /* of a check: up to two probes */
};
_Static_assert(VERDICT_TEXT >= 2 * WHY + 16, "two probes' and a port");

/* What probes share. */
struct prober {
	struct event_base *base;
	struct check_path *path;
	SSL_CTX *tls; /* NULL until it is needed */
	struct stalls stalls;
};

struct probe {
	struct prober *prober;
	const struct config_check *check;
	__u8 type; /* enum check_type; the check's, or a simpler one */
	bool direct;
	struct addr vip, backend;
	__be16 port;
	__be16 client_port; /* of the VIP, as clients name it */
	__u32 backend_id;
	void (*done)(struct probe *probe, void *data);
	void *data;
	struct result result; /* for done() */
	struct check_key key; /* of its last socket, or protocol 0 */
	bool heard;	      /* it has answered, through xdp_lbr */
	bool told;	      /* that its answers do not come here */
	int elsewhere;	      /* see check_path_socket() */

	/* While one is under way: */
	int fd;
	struct bufferevent *stream; /* tcp, http, https; owns fd */
	struct http_answer *answer;
	struct event *bare; /* udp, and until TLS begins */
	int refused;	    /* udp: the first error that came; 0: none */
	struct event *timer;
	struct wait wait;
};

/* done() is called once for each probe, and not before this returns. */
void probe_start(struct probe *probe);
/* Without done(). */
void probe_stop(struct probe *probe);
/* ... and done() will not be called. */
void probe_end(struct probe *probe);
