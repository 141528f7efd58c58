// SPDX-License-Identifier: GPL-2.0-only
#include "common/serve/run.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/printing.h"
#include "common/cli/cli.h"
#include "common/kernel/lock.h"
#include "common/kernel/run_lock.h"
#include "common/serve/notify.h"

struct run {
	const struct work *work;
	const char *path; /* of the file */
	struct status status;
	struct server *server;
	struct event_base *base;
	struct event *term, *interrupt, *hangup;
	struct event *apply; /* apply the file, after SIGHUP */
	struct lock_waiting waiting;
	struct event *serve; /* try the port again */
	const char *listen;
	int alone; /* fd */
};

static void end(evutil_socket_t signal, short what, void *data)
{
	struct run *run = data;

	(void)signal;
	(void)what;
	event_base_loopbreak(run->base);
}

/* Does another process hold the lock? Asked before the file is read. */
static bool is_locked(struct run *run)
{
	char directory[KERNEL_DIRECTORY];
	bool busy;
	int fd;

	kernel_directory(run->status.role, directory);
	fd = lock_try(directory);
	busy = fd < 0 && errno == EWOULDBLOCK;
	if (fd >= 0)
		close(fd);
	lock_tried(&run->waiting, directory, busy);
	return busy;
}

/* The loop must not wait for the writer of a pipe. */
static int refuse_pipe(const struct run *run, struct fault *fault_out)
{
	struct stat file;

	if (stat(run->path, &file) || S_ISREG(file.st_mode))
		return 0;
	fault(fault_out, "cannot apply %s: it is not a regular file",
	      run->path);
	return fault_hint(fault_out, "%s apply %s", run->status.role->name,
			  run->path);
}

/* Tried again until the other process releases the lock. */
static void apply(evutil_socket_t fd, short what, void *data)
{
	static const struct timeval soon = {0, 20 * 1000};
	struct run *run = data;
	const struct role *role = run->status.role;
	const struct work *work = run->work;
	struct options options = {.argument = run->path};
	struct fault fault_is = {0};
	int rc = refuse_pipe(run, &fault_is);

	if (!rc)
		rc = is_locked(run) ? KERNEL_BUSY
				    : apply_file(role, &options, ACCESS_TRY,
						 &fault_is);

	(void)fd;
	(void)what;
	if (rc == KERNEL_BUSY) {
		event_add(run->apply, &soon);
		return;
	}
	if (rc)
		cli_failed(role, &fault_is);
	else if (work->applied)
		work->applied(work->data);
	notify("READY=1");
}

static void again(evutil_socket_t signal, short what, void *data)
{
	struct run *run = data;

	(void)signal;
	(void)what;
	notify("RELOADING=1");
	event_active(run->apply, EV_TIMEOUT, 0);
}

/* 0, or -1 with a fault. */
static int serve(struct run *run, struct fault *fault_out)
{
	run->server = server_start(run->base, run->listen, status_documents,
				   &run->status, fault_out);
	return run->server ? 0 : -1;
}

/* Checks run without a page. It comes when its port is free. */
static void serve_again(evutil_socket_t fd, short what, void *data)
{
	static const struct timeval while_is = {2, 0};
	struct run *run = data;
	struct fault ignored;

	(void)fd;
	(void)what;
	if (serve(run, &ignored))
		event_add(run->serve, &while_is);
	else
		printf("status on %s\n", run->listen);
}

static int serve_begin(struct run *run, struct fault *fault_out)
{
	struct fault said;

	if (!strcmp(run->listen, "none"))
		return 0;
	if (!server_can_be(run->listen, fault_out))
		return -1;
	if (!serve(run, &said))
		return 0;
	fault_warn(&said);
	serve_again(-1, EV_TIMEOUT, run);
	return 0;
}

/* A check needs a descriptor, and thousands may be under way. */
static void files_allow(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files))
		return;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
}

static int run_start(struct run *run, struct fault *fault_out)
{
	const struct work *work = run->work;

	files_allow();
	run->base = event_base_new();
	if (run->base &&
	    !event_base_priority_init(run->base, SERVER_PRIORITIES)) {
		run->term = evsignal_new(run->base, SIGTERM, end, run);
		run->interrupt = evsignal_new(run->base, SIGINT, end, run);
		run->hangup = evsignal_new(run->base, SIGHUP, again, run);
		run->apply = evtimer_new(run->base, apply, run);
		run->serve = evtimer_new(run->base, serve_again, run);
	}
	if (!run->term || !run->interrupt || !run->hangup || !run->apply ||
	    !run->serve || event_add(run->term, NULL) ||
	    event_add(run->interrupt, NULL) || event_add(run->hangup, NULL))
		return fault(fault_out, "cannot run: no event loop");
	return work->begin ? work->begin(work->data, run->base, fault_out) : 0;
}

static void event_drop(struct event *event)
{
	if (event)
		event_free(event);
}

static void run_stop(struct run *run)
{
	server_stop(run->server);
	if (run->base && run->work->end)
		run->work->end(run->work->data);
	event_drop(run->term);
	event_drop(run->interrupt);
	event_drop(run->hangup);
	event_drop(run->apply);
	event_drop(run->serve);
	if (run->base)
		event_base_free(run->base);
	run_unlock(run->status.role, run->alone);
	libevent_global_shutdown();
}

int run_work(const struct role *role, const struct options *options,
	     const struct work *work)
{
	struct run run = {
		.work = work,
		.path = options->config ?: DEFAULT_CONFIG,
		.status = {role, work->data, time(NULL)},
		.listen = options->listen ?: role->listen,
		.alone = -1,
	};
	struct fault fault_is = {0};
	int rc;

	rc = printing_background(&fault_is);
	if (!rc)
		run.alone = run_lock(role, &fault_is);
	rc = rc || run.alone < 0 ? -1 : run_start(&run, &fault_is);
	rc = rc ?: serve_begin(&run, &fault_is);
	if (!rc) {
		printf("running; status on %s%s, SIGHUP applies %s, SIGTERM "
		       "ends it\n",
		       run.listen,
		       run.server || !strcmp(run.listen, "none") ? ""
								 : ", later",
		       run.path);
		notify("READY=1");
		event_base_dispatch(run.base);
		notify("STOPPING=1");
	}
	run_stop(&run);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
