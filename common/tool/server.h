/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - HTTP for who looks: a page, JSON, metrics
 *
 * Read-only, a connection a request. However many clients there are and however
 * slow, it holds few at a time: a new one takes the oldest one's place.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>

#include "common/tool/fault.h"

struct server;

/* A document: where, of what type, and how its text is made. */
struct document_at {
	const char *path;
	const char *type;
	/* Returns 0, or -1: it cannot be had now. */
	int (*write)(void *data, struct evbuffer *out);
};

/*
 * `listen` is ADDRESS:PORT. `documents` end with a path of NULL. Returns NULL
 * with a fault.
 */
struct server *server_start(struct event_base *base, const char *listen,
			    const struct document_at *documents, void *data,
			    struct fault *fault);
void server_stop(struct server *server);
