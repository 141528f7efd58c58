/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * document_build.h - documents that are served, built beside the event loop
 *
 * The status of thousands of backends takes a while to write, and the loop has
 * health checks to make. So a child writes it, as everything was at the moment
 * of its fork; one at a time, for all who asked before that moment, and at most
 * for a quarter of the time.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>

/* A document: where, of what type, and how its text is made. */
struct document_at {
	const char *path;
	const char *type;
	/* Returns 0, or -1: it cannot be had now. In a child, but: */
	int (*write)(void *data, struct evbuffer *out);
	int is_constant; /* at once, and by reference */
};

struct document;

/*
 * `built` is called after each build. NULL: no memory. `priority` is that of
 * the events.
 */
struct document *document_new(struct event_base *base, int priority,
			      const struct document_at *at, void *data,
			      void (*built)(struct document *document,
					    void *server),
			      void *server);
void document_free(struct document *document);
const struct document_at *document_of(const struct document *document);

/* Begins a build as soon as may be. The number of the one that will do. */
unsigned long document_ask(struct document *document);
/* The number of the last one that has ended. */
unsigned long document_built(const struct document *document);
/* Adds what it has built, not a copy. Returns 0, or -1: it could not be had. */
int document_add(struct document *document, struct evbuffer *out);
