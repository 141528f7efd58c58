/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * state.h - which flows a backend gets, and what people are told of it
 *
 * Three things that are not one: what is wanted of a backend (the file or a
 * verb: to serve, or to drain), what health checks found, and which flows it
 * gets. The third follows from the first two and from the other backends of the
 * service; the word for all of it follows from all three. Both are worked out
 * here and nowhere else. `show`, the page, /status, the metrics, `doctor`, the
 * journal and the lines of `apply` all say these words.
 */
#pragma once

#include "common/config/config.h"

/*
 * Sets `state` of each backend of `service`, from its `finding` and `drain`.
 * `indices`: of the service's backends, in the file's order, in `backends`,
 * which is by index.
 *
 * A backend whose path is down loses its flows; one whose application is down
 * keeps them, unless `on-down` is `move`. Where no backend is left that gets
 * new flows, `on-all-down: all` gives them to those whose path is good, and for
 * lack of one to all; never to one that is to drain.
 */
void states_set(const struct config_service *service, const __u16 *indices,
		struct backend *backends);

/* The word for a backend. */
enum backend_status {
	STATUS_UP,
	STATUS_DRAINING,
	STATUS_LEAVING,	    /* not in the file any more; drains */
	STATUS_DOWN,	    /* found down, and gets no new flows */
	STATUS_LAST_RESORT, /* found down, as are all others; gets flows */
};

/* Of one that drains or leaves, it is not said that it is down: that may be
 * why. */
enum backend_status backend_status(const struct backend *backend);
const char *status_name(enum backend_status status);
/* "up", "down, keeps its flows": the word, and what of its flows. `text` holds
 * 48 bytes. */
const char *status_flows(const struct backend *backend, char *text);

/* The word for a service. */
enum service_status {
	SERVICE_UP,
	SERVICE_DEGRADED, /* some backend that is to serve was found down */
	SERVICE_DOWN,	  /* all that are to serve were found down */
	SERVICE_DRAINED,  /* none is to serve */
	SERVICE_LEAVING,  /* not in the file any more; its flows go on */
};

/* What it follows from: begin with zero, and add each backend. */
struct service_tally {
	size_t to_serve, down;
};
void service_add(struct service_tally *tally, const struct backend *backend);
enum service_status service_status(const struct service_tally *tally);
const char *service_status_name(enum service_status status);
