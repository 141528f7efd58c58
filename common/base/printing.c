// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fopencookie() */
#endif
#include "common/base/printing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#define ROOM	 (1 << 20) /* bytes that the thread may lag behind */
#define PATIENCE 1	   /* seconds it has at the end */

struct piece {
	STAILQ_ENTRY(piece) next;
	int fd;
	size_t length;
	char text[];
};

STAILQ_HEAD(pieces, piece);

static struct {
	int held; /* depth */
	bool threaded, ending;
	size_t count;	/* bytes written to stdout */
	int failed;	/* errno of stdout's first failure */
	size_t waiting; /* bytes of `pieces` */
	size_t lost;	/* bytes lost for lack of room */
	struct pieces pieces;
	pthread_mutex_t mutex;
	pthread_cond_t more, done;
} all = {
	.pieces = STAILQ_HEAD_INITIALIZER(all.pieces),
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.more = PTHREAD_COND_INITIALIZER,
	.done = PTHREAD_COND_INITIALIZER,
};

/* Returns 0 or errno. */
static int write_all(int fd, const char *text, size_t length)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	ssize_t written;

	while (length) {
		written = write(fd, text, length);
		if (written >= 0) {
			text += written;
			length -= (size_t)written;
		} else if (errno == EAGAIN) {
			poll(&room, 1, -1);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static int print(int fd, const char *text, size_t length)
{
	int error = write_all(fd, text, length);

	if (error && fd == STDOUT_FILENO && !all.failed)
		all.failed = error;
	return error;
}

/* Appends. Returns 0, or -1 without memory. */
static int keep(int fd, const char *text, size_t length)
{
	struct piece *piece = malloc(sizeof(*piece) + length);

	if (!piece)
		return -1;
	piece->fd = fd;
	piece->length = length;
	memcpy(piece->text, text, length);
	STAILQ_INSERT_TAIL(&all.pieces, piece, next);
	all.waiting += length;
	return 0;
}

static struct piece *take(void)
{
	struct piece *piece = STAILQ_FIRST(&all.pieces);

	if (piece) {
		STAILQ_REMOVE_HEAD(&all.pieces, next);
		all.waiting -= piece->length;
	}
	return piece;
}

static void hand_over(int fd, const char *text, size_t length)
{
	pthread_mutex_lock(&all.mutex);
	if (all.waiting + length > ROOM || keep(fd, text, length))
		all.lost += length;
	pthread_cond_signal(&all.more);
	pthread_mutex_unlock(&all.mutex);
}

/* The write function of both streams. */
static ssize_t put(void *cookie, const char *text, size_t length)
{
	int fd = cookie ? STDERR_FILENO : STDOUT_FILENO;

	if (!cookie)
		all.count += length;
	if (all.threaded) {
		hand_over(fd, text, length);
		return (ssize_t)length;
	}
	if (all.held)
		return keep(fd, text, length) ? 0 : (ssize_t)length;
	return print(fd, text, length) ? 0 : (ssize_t)length;
}

/* A map or socket must not become stdout because that descriptor was free. */
static void descriptors_fill(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/*
		 * Opened the wrong way round: reads and writes fail, as they
		 * should.
		 */
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) < 0)
			return;
	}
}

void printing_start(void)
{
	static const cookie_io_functions_t functions = {.write = put};
	static char is_stderr;
	FILE *out, *err;

	descriptors_fill();
	out = fopencookie(NULL, "w", functions);
	err = fopencookie(&is_stderr, "w", functions);
	if (!out || !err)
		return;
	/* Output is read while it is made, also through a pipe. */
	setvbuf(out, NULL, _IOLBF, 0);
	setvbuf(err, NULL, _IOLBF, 0);
	stdout = out;
	stderr = err;
}

void printing_hold(void)
{
	all.held++;
}

void printing_release(void)
{
	struct piece *piece;

	if (all.held > 1 || all.threaded) {
		all.held -= all.held > 0;
		return;
	}
	fflush(stdout);
	fflush(stderr);
	all.held = 0;
	while ((piece = take())) {
		if (piece->fd != STDOUT_FILENO || !all.failed)
			print(piece->fd, piece->text, piece->length);
		free(piece);
	}
}

size_t printing_count(void)
{
	fflush(stdout);
	return all.count;
}

void printing_now(const char *text)
{
	struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};

	if (all.threaded)
		hand_over(STDERR_FILENO, text, strlen(text));
	else if (poll(&room, 1, 0) == 1 && room.revents & POLLOUT)
		write_all(STDERR_FILENO, text, strlen(text));
}

/* With the mutex held, before and after. */
static void tell_lost(void)
{
	char text[96];
	size_t lost = all.lost;

	if (!lost || !STAILQ_EMPTY(&all.pieces))
		return;
	all.lost = 0;
	keep(STDERR_FILENO, text,
	     (size_t)snprintf(text, sizeof(text),
			      "%zu bytes of log are lost: the reader of "
			      "standard output was too slow\n",
			      lost));
}

static void *print_all(void *unused)
{
	struct piece *piece;

	(void)unused;
	pthread_mutex_lock(&all.mutex);
	for (;;) {
		tell_lost();
		piece = take();
		if (!piece && all.ending)
			break;
		if (!piece) {
			pthread_cond_wait(&all.more, &all.mutex);
			continue;
		}
		pthread_mutex_unlock(&all.mutex);
		print(piece->fd, piece->text, piece->length);
		free(piece);
		pthread_mutex_lock(&all.mutex);
	}
	all.threaded = false;
	pthread_cond_signal(&all.done);
	pthread_mutex_unlock(&all.mutex);
	return NULL;
}

int printing_background(struct fault *fault_out)
{
	sigset_t every, before;
	pthread_t thread;
	int rc;

	fflush(stdout);
	fflush(stderr);
	/* Signals are the main thread's. */
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &before);
	rc = pthread_create(&thread, NULL, print_all, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc)
		return fault(fault_out, "cannot begin a thread: %s",
			     strerror(rc));
	pthread_detach(thread);
	all.threaded = true;
	return 0;
}

/* Not for ever: maybe nobody reads. */
static void thread_end(void)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE;
	pthread_mutex_lock(&all.mutex);
	all.ending = true;
	pthread_cond_signal(&all.more);
	while (all.threaded && !pthread_cond_clockwait(&all.done, &all.mutex,
						       CLOCK_MONOTONIC, &until))
		;
	pthread_mutex_unlock(&all.mutex);
}

int printing_end(void)
{
	fflush(stdout);
	fflush(stderr);
	if (all.threaded) {
		thread_end();
	} else {
		all.held = all.held > 0;
		printing_release();
	}
	return all.failed;
}
