/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * server.h - an HTTP server for a page, JSON and metrics
 *
 * Read-only, one request for each connection. It holds few clients at a time,
 * however many there are and however slow: a new one takes the place of the
 * oldest. A request whose `Host:` is a name that this host does not have is
 * refused: it comes from somebody else's page, whose name was pointed here.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdbool.h>

#include "common/base/fault.h"
#include "common/serve/document_build.h"

struct server;

/* The lowest of a base's three priorities: everything else comes first. */
#define SERVER_PRIORITIES 3
#define SERVER_PRIORITY	  2

/*
 * `listen` is ADDRESS:PORT. `documents` end with a path of NULL. Returns NULL
 * with a fault.
 */
/* Is it ADDRESS:PORT? If not, fills in the fault. */
bool server_can_be(const char *listen, struct fault *fault);
struct server *server_start(struct event_base *base, const char *listen,
			    const struct document_at *documents, void *data,
			    struct fault *fault);
void server_stop(struct server *server);
