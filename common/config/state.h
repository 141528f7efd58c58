/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - which flows a backend gets, and its state in one word
 *
 * Three different things: what the file or a verb wants (serve or drain), what
 * health checks found, and which flows the backend gets. The third follows from
 * the first two and from the other backends of the service; the word follows
 * from all three. Both are computed here and nowhere else. `show`, the page,
 * /status, the metrics, `doctor`, the journal and the lines of `apply` use
 * these words.
 */
#pragma once

#include "common/config/config.h"
#include "common/core/abi_services.h"

/*
 * Sets `state` of each backend of `service`, from its `finding` and `drain`.
 * `indices`: of the service's backends, in the file's order, in `backends`,
 * which is by index.
 *
 * A backend whose path is down loses its flows; one whose application is down
 * keeps them, unless `on-down` is `move`. If no backend gets new flows,
 * `on-all-down: all` gives them to those whose path is good and, if there are
 * none, to all, but never to one that is to drain.
 */
void states_set(const struct config_service *service, const __u16 *indices,
		struct backend *backends);

/* The state of a backend. */
enum backend_status {
	STATUS_UP,
	STATUS_DRAINING,
	STATUS_REMOVING,    /* removed from the file; drains */
	STATUS_DOWN,	    /* found down, and gets no new flows */
	STATUS_LAST_RESORT, /* found down, as are all others; gets flows */
};

/*
 * For one that drains or leaves, "down" is not said: that may be why it drains.
 */
enum backend_status backend_status(const struct backend *backend);
const char *status_name(enum backend_status status);
/*
 * "up", "down, keeps its flows": the state, and what happens to its flows.
 * `text` holds 48 bytes.
 */
const char *status_flows(const struct backend *backend, char *text);

/* The state of a service. */
enum service_status {
	SERVICE_UP,
	SERVICE_DEGRADED, /* some backends that are to serve were found down */
	SERVICE_DOWN,	  /* all backends that are to serve were found down */
	SERVICE_DRAINED,  /* none is to serve */
	SERVICE_REMOVING, /* removed from the file; its flows continue */
};

/* What the state follows from: begin with zero, and add each backend. */
struct service_tally {
	size_t to_serve, down;
	size_t unknown; /* of those to serve: no check has spoken */
};
void service_add(struct service_tally *tally, const struct backend *backend);
enum service_status service_status(const struct service_tally *tally);
const char *service_status_name(enum service_status status);
