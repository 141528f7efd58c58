/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe.h - one request of a health check: to a VIP, through one backend
 *
 * It finds out two things separately. The path: do packets reach the backend as
 * a client's do, and does it answer from the VIP? The application: is the
 * answer good? A direct probe asks at the backend's own address, as any socket
 * would. Of a service whose replies come back to the load balancer that is a
 * client's path, too; else it finds out nothing about the path.
 */
#pragma once

#include <event2/event.h>
#include <openssl/ssl.h>

#include "common/probe/http_answer.h"
#include "common/base/stalls.h"
#include "common/config/health.h"
#include "common/core/abi_services.h"
#include "common/core/check.h"
#include "common/core/reason.h"

#define WHY 96

struct result {
	enum outcome path, application;
	bool silent;		/* sent, and no answer was expected */
	__u32 took;		/* microseconds */
	char why[VERDICT_TEXT]; /* of a check: up to two probes */
};
_Static_assert(VERDICT_TEXT >= 2 * WHY + 16, "two probes' and a port");

/*
 * Backends whose host has refused a datagram ("port unreachable"), and when, in
 * microseconds. A host says so once a second to each other host (Linux:
 * icmp_ratelimit), however many datagrams it refuses.
 */
#define REFUSALS 256
struct refusals {
	struct {
		struct addr backend;
		__u64 at; /* 0: never */
	} of[REFUSALS];
};

struct probe;

/*
 * How probes that judge the path reach a backend; each is called with `data`.
 */
struct probe_path {
	/*
	 * Makes a socket whose packets go the probe's way. If it is not direct,
	 * probe->key identifies the socket later. probe->elsewhere: ifindex of
	 * the interface by which its answers will come, if they are not heard
	 * there; else 0. Returns its fd, or -1 with errno.
	 */
	int (*socket)(void *data, struct probe *probe, __u8 protocol);
	/* The reason of its last packet out; REASON_NONE: none was seen. */
	enum reason (*reason)(void *data, const struct check_key *key);
	/* Has the kernel ask for MAC addresses on the way to the backend. */
	void (*ask)(void *data, const struct addr *backend);
	/* Late packets of the socket have come by now. */
	void (*forget)(void *data, const struct check_key *key,
		       __u32 backend_id);
	/* Reports once that answers come by the interface `name`, unheard. */
	void (*unheard)(void *data, const struct probe *probe,
			const char *name);
	void *data;
};

/* What probes share. */
struct prober {
	struct event_base *base;
	const struct probe_path *path; /* NULL: none judges it */
	const char *agent;	       /* in requests of HTTP */
	SSL_CTX *tls;		       /* NULL until it is needed */
	struct stalls stalls;
	struct refusals refusals;
};

struct probe {
	struct prober *prober;
	const struct config_check *check;
	__u8 type; /* enum check_type; the check's, or a simpler one */
	bool direct;
	bool judges_path; /* and not the application alone */
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
	__u64 refused_at;     /* udp: microseconds; 0: it answers, or never */
	int elsewhere;	      /* see struct probe_path */

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
