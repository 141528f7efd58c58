// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool/run.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/tool/cli.h"
#include "common/tool/lock.h"
#include "common/tool/notify.h"
#include "common/tool/printing.h"

struct run {
	const struct work *work;
	const char *path; /* of the file */
	struct status status;
	struct server *server;
	struct event_base *base;
	struct event *term, *interrupt, *hangup;
	struct event *apply; /* the file, as SIGHUP asks for */
	struct lock_waiting waiting;
	int alone; /* fd */
};

socklen_t run_name(const struct role *role, struct sockaddr_un *name)
{
	*name = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1) +
	       (socklen_t)snprintf(name->sun_path + 1,
				   sizeof(name->sun_path) - 1, "l3dsr/%s-run",
				   role->name);
}

bool run_is_alive(const struct role *role)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un its;
	socklen_t length = run_name(role, &its);
	bool is_alive;

	/* It need not take the call: that there is somebody is enough. */
	is_alive = fd >= 0 && (!connect(fd, (struct sockaddr *)&its, length) ||
			       errno == EAGAIN);
	if (fd >= 0)
		close(fd);
	return is_alive;
}

/* One in each network namespace. */
static int alone(struct run *run, struct fault *fault_out)
{
	const struct role *role = run->status.role;
	struct sockaddr_un own;
	socklen_t length = run_name(role, &own);

	run->alone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (run->alone >= 0 &&
	    !bind(run->alone, (struct sockaddr *)&own, length) &&
	    !listen(run->alone, 1))
		return 0;
	if (errno == EADDRINUSE)
		return fault(fault_out, "cannot run: another `%s run` does",
			     role->name);
	return fault(fault_out, "cannot run: %s", strerror(errno));
}

static void end(evutil_socket_t signal, short what, void *data)
{
	struct run *run = data;

	(void)signal;
	(void)what;
	event_base_loopbreak(run->base);
}

/* Is it another process's turn? Asked before the file is read. */
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

/* Until another process gives the lock back, it is tried again. */
static void apply(evutil_socket_t fd, short what, void *data)
{
	static const struct timeval soon = {0, 20 * 1000};
	struct run *run = data;
	const struct role *role = run->status.role;
	const struct work *work = run->work;
	struct options options = {.argument = run->path};
	struct fault fault_is = {0};
	int rc = is_locked(run)
			 ? KERNEL_BUSY
			 : apply_file(role, &options, ACCESS_TRY, &fault_is);

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

static int listen_on(struct run *run, const char *where,
		     struct fault *fault_out)
{
	if (!strcmp(where, "none"))
		return 0;
	run->server = server_start(run->base, where, status_documents,
				   &run->status, fault_out);
	return run->server ? 0 : -1;
}

static int run_start(struct run *run, struct fault *fault_out)
{
	const struct work *work = run->work;

	run->base = event_base_new();
	if (run->base) {
		run->term = evsignal_new(run->base, SIGTERM, end, run);
		run->interrupt = evsignal_new(run->base, SIGINT, end, run);
		run->hangup = evsignal_new(run->base, SIGHUP, again, run);
		run->apply = evtimer_new(run->base, apply, run);
	}
	if (!run->term || !run->interrupt || !run->hangup || !run->apply ||
	    event_add(run->term, NULL) || event_add(run->interrupt, NULL) ||
	    event_add(run->hangup, NULL))
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
	if (run->base)
		event_base_free(run->base);
	if (run->alone >= 0)
		close(run->alone);
	libevent_global_shutdown();
}

int run_work(const struct role *role, const struct options *options,
	     const struct work *work)
{
	const char *listen = options->listen ?: role->listen;
	struct run run = {
		.work = work,
		.path = options->config ?: DEFAULT_CONFIG,
		.status = {role, work->data, time(NULL)},
		.alone = -1,
	};
	struct fault fault_is = {0};
	int rc;

	rc = printing_background(&fault_is) ?: alone(&run, &fault_is);
	rc = rc ?: run_start(&run, &fault_is);
	rc = rc ?: listen_on(&run, listen, &fault_is);
	if (!rc) {
		printf("running; status on %s, SIGHUP applies %s, SIGTERM "
		       "ends it\n",
		       listen, run.path);
		notify("READY=1");
		event_base_dispatch(run.base);
		notify("STOPPING=1");
	}
	run_stop(&run);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
