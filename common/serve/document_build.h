/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * document_build.h - build served documents beside the event loop
 *
 * It takes a while to write the status of thousands of backends, and the loop
 * has health checks to make. So a child writes it, as everything was when it
 * was forked; one child at a time, for all who asked before that moment, and
 * for at most a quarter of the time.
 */
#pragma once

#include <event2/buffer.h>
#include <event2/event.h>

/* A document: its path, its type, and the function that writes it. */
struct document_at {
	const char *path;
	const char *type;
	/*
	 * Returns 0, or -1 if it is not available now. Runs in a child, unless:
	 */
	int (*write)(void *data, struct evbuffer *out);
	int is_constant; /* written at once, and by reference */
};

struct document;

/*
 * `built` is called after each build. NULL: no memory. `priority`: of the
 * events.
 */
struct document *document_new(struct event_base *base, int priority,
			      const struct document_at *at, void *data,
			      void (*built)(struct document *document,
					    void *server),
			      void *server);
void document_free(struct document *document);
const struct document_at *document_of(const struct document *document);

/*
 * Begins a build as soon as possible. Returns the number of the build that will
 * include this moment.
 */
unsigned long document_ask(struct document *document);
/* The number of the last build that has ended. */
unsigned long document_built(const struct document *document);
/*
 * Adds the built document by reference. Returns 0, or -1 if the build failed.
 */
int document_add(struct document *document, struct evbuffer *out);
