/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - HTTP for who looks: a page, JSON, metrics
 *
 * Read-only, a connection a request. However many clients there are and however
 * slow, it holds few at a time: a new one takes the oldest one's place. A
 * request whose `Host:` is a name that this host does not have is refused: it
 * is of a page from elsewhere, whose name was made to point here.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>

#include "common/base/fault.h"
#include "common/serve/document_build.h"

struct server;

/* Of a base's three: all else comes first. */
#define SERVER_PRIORITIES 3
#define SERVER_PRIORITY	  2

/*
 * `listen` is ADDRESS:PORT. `documents` end with a path of NULL. Returns NULL
 * with a fault.
 */
/* Is it ADDRESS:PORT? If not, with a fault. */
bool server_can_be(const char *listen, struct fault *fault);
struct server *server_start(struct event_base *base, const char *listen,
			    const struct document_at *documents, void *data,
			    struct fault *fault);
void server_stop(struct server *server);
