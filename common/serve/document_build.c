// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create, dup3 */
#endif
#include "common/serve/document_build.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/elapsed.h"

#define SHARE 4 /* a build takes at most so much of the time: a fourth */

static const struct timeval patience = {10, 0};

struct document {
	const struct document_at *at;
	void *data;
	void (*built)(struct document *document, void *server);
	void *server;
	struct evbuffer_file_segment *body; /* NULL: the last build failed */
	unsigned long wanted, begun, ended; /* numbers of builds */
	double begun_at, next_at;	    /* seconds, CLOCK_MONOTONIC */
	struct event_base *base;
	int priority;
	struct event *start, *done;
	pid_t child;
	int memory, pipe; /* fds */
};

/* It closes its parent's files, and dies with its parent. */
static void child_settle(int memory, int pipe)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	/*
	 * Moved away first: each may have the number that the other is to get.
	 */
	memory = fcntl(memory, F_DUPFD_CLOEXEC, 5);
	pipe = fcntl(pipe, F_DUPFD_CLOEXEC, 5);
	dup3(memory, 3, O_CLOEXEC);
	dup3(pipe, 4, O_CLOEXEC);
#ifdef SYS_close_range
	syscall(SYS_close_range, 5U, ~0U, 0U);
#endif
}

static void child(const struct document *document, int memory, int pipe)
{
	struct evbuffer *text = evbuffer_new();

	child_settle(memory, pipe);
	if (!text || document->at->write(document->data, text))
		_exit(1);
	while (evbuffer_get_length(text)) {
		if (evbuffer_write(text, 3) <= 0)
			_exit(1);
	}
	_exit(write(4, "", 1) != 1);
}

static void begin_soon(struct document *document)
{
	double wait = document->next_at - seconds_now();
	struct timeval time = {0};

	if (document->child || evtimer_pending(document->start, NULL))
		return;
	if (wait > 0) {
		time.tv_sec = (time_t)wait;
		time.tv_usec =
			(suseconds_t)((wait - (double)time.tv_sec) * 1e6);
	}
	event_add(document->start, &time);
}

/* What the child has written; nothing if it failed. */
static void end(struct document *document, int good)
{
	struct stat written;

	if (document->body)
		evbuffer_file_segment_free(document->body);
	document->body = NULL;
	if (good && !fstat(document->memory, &written))
		document->body = evbuffer_file_segment_new(
			document->memory, 0, written.st_size,
			EVBUF_FS_CLOSE_ON_FREE | EVBUF_FS_DISABLE_SENDFILE);
	if (!document->body && document->memory >= 0)
		close(document->memory);
	if (document->pipe >= 0)
		close(document->pipe);
	document->memory = document->pipe = -1;
	document->child = 0;
	document->ended = document->begun;
	document->next_at = document->begun_at +
			    SHARE * (seconds_now() - document->begun_at);
	document->built(document, document->server);
	if (document->wanted > document->ended)
		begin_soon(document);
}

/* The child has ended, which closes the pipe; or its time is over. */
static void done(evutil_socket_t fd, short what, void *data)
{
	struct document *document = data;
	char byte;
	int good = what & EV_READ && read(fd, &byte, 1) == 1;

	event_free(document->done);
	document->done = NULL;
	/* It may have been stopped after its last byte: do not wait for it. */
	kill(document->child, SIGKILL);
	waitpid(document->child, NULL, 0);
	end(document, good);
}

static int child_begin(struct document *document)
{
	int ends[2];

	document->memory = memfd_create(document->at->path, MFD_CLOEXEC);
	if (document->memory < 0 || pipe2(ends, O_CLOEXEC))
		return -1;
	document->pipe = ends[0];
	document->child = fork();
	if (!document->child)
		child(document, document->memory, ends[1]);
	close(ends[1]);
	if (document->child < 0)
		return -1;
	document->done = event_new(document->base, document->pipe, EV_READ,
				   done, document);
	if (document->done &&
	    !event_priority_set(document->done, document->priority) &&
	    !event_add(document->done, &patience))
		return 0;
	if (document->done)
		event_free(document->done);
	document->done = NULL;
	kill(document->child, SIGKILL);
	waitpid(document->child, NULL, 0);
	return -1;
}

static void start(evutil_socket_t fd, short what, void *data)
{
	struct document *document = data;

	(void)fd;
	(void)what;
	document->begun++;
	document->begun_at = seconds_now();
	if (child_begin(document))
		end(document, 0);
}

struct document *document_new(struct event_base *base, int priority,
			      const struct document_at *at, void *data,
			      void (*built)(struct document *document,
					    void *server),
			      void *server)
{
	struct document *document = calloc(1, sizeof(*document));

	if (!document)
		return NULL;
	document->at = at;
	document->data = data;
	document->built = built;
	document->server = server;
	document->base = base;
	document->priority = priority;
	document->memory = document->pipe = -1;
	document->start = evtimer_new(base, start, document);
	if (document->start && !event_priority_set(document->start, priority))
		return document;
	if (document->start)
		event_free(document->start);
	free(document);
	return NULL;
}

void document_free(struct document *document)
{
	if (!document)
		return;
	event_free(document->start);
	if (document->done)
		event_free(document->done);
	if (document->child > 0) {
		kill(document->child, SIGKILL);
		waitpid(document->child, NULL, 0);
	}
	if (document->memory >= 0)
		close(document->memory);
	if (document->pipe >= 0)
		close(document->pipe);
	if (document->body)
		evbuffer_file_segment_free(document->body);
	free(document);
}

const struct document_at *document_of(const struct document *document)
{
	return document->at;
}

unsigned long document_ask(struct document *document)
{
	document->wanted = document->begun + 1;
	begin_soon(document);
	return document->wanted;
}

unsigned long document_built(const struct document *document)
{
	return document->ended;
}

int document_add(struct document *document, struct evbuffer *out)
{
	return document->body
		       ? evbuffer_add_file_segment(out, document->body, 0, -1)
		       : -1;
}
