// SPDX-License-Identifier: GPL-2.0-only
/*
 * run.c - `lbr run`: what has to be done again and again
 *
 * Forwarding does not depend on it. What it knows it can learn anew: it may be
 * killed at any moment and started again.
 */
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "LoadBalancer/follow.h"
#include "LoadBalancer/lbr.h"
#include "LoadBalancer/notify.h"
#include "LoadBalancer/status.h"
#include "common/tool/cli.h"

struct run {
	struct follow follow;
	struct server *server;
	struct event_base *base;
	struct event *term, *interrupt, *hangup;
	int alone; /* fd */
};

/*
 * One in each network namespace. The name is of that, and gone with the
 * process, however it ends.
 */
static int alone(struct run *run, struct fault *fault_out)
{
	static const char name[] = "\0" RUN_NAME;
	struct sockaddr_un own = {.sun_family = AF_UNIX};

	memcpy(own.sun_path, name, sizeof(name) - 1);
	run->alone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (run->alone >= 0 &&
	    !bind(run->alone, (struct sockaddr *)&own,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			      sizeof(name) - 1)) &&
	    !listen(run->alone, 1))
		return 0;
	if (errno == EADDRINUSE)
		return fault(fault_out, "cannot run: another `lbr run` does");
	return fault(fault_out, "cannot run: %s", strerror(errno));
}

/* Is there something to run beside? */
static int is_up(const struct role *role, struct fault *fault_out)
{
	struct kernel kernel;
	int rc = kernel_open(&kernel, role, ACCESS_READ, fault_out);

	kernel_close(&kernel);
	return rc;
}

static void end(evutil_socket_t signal, short what, void *data)
{
	struct run *run = data;

	(void)signal;
	(void)what;
	event_base_loopbreak(run->base);
}

static void again(evutil_socket_t signal, short what, void *data)
{
	struct run *run = data;
	struct options options = {.argument = run->follow.path};

	(void)signal;
	(void)what;
	notify("RELOADING=1");
	/* It says itself what went wrong. */
	if (!verb_apply(run->follow.role, &options))
		follow_again(&run->follow);
	notify("READY=1");
}

static int listen_on(struct run *run, const char *where,
		     struct fault *fault_out)
{
	if (!strcmp(where, "none"))
		return 0;
	run->server = server_start(run->base, where, status_documents,
				   &run->follow, fault_out);
	return run->server ? 0 : -1;
}

/* A check takes a file, and there may be thousands under way. */
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
	files_allow();
	run->base = event_base_new();
	if (run->base) {
		run->term = evsignal_new(run->base, SIGTERM, end, run);
		run->interrupt = evsignal_new(run->base, SIGINT, end, run);
		run->hangup = evsignal_new(run->base, SIGHUP, again, run);
	}
	if (run->term && run->interrupt && run->hangup &&
	    !event_add(run->term, NULL) && !event_add(run->interrupt, NULL) &&
	    !event_add(run->hangup, NULL))
		return follow_start(&run->follow, run->base, fault_out);
	return fault(fault_out, "cannot run: no event loop");
}

static void event_drop(struct event *event)
{
	if (event)
		event_free(event);
}

static void run_stop(struct run *run)
{
	server_stop(run->server);
	follow_stop(&run->follow);
	event_drop(run->term);
	event_drop(run->interrupt);
	event_drop(run->hangup);
	if (run->base)
		event_base_free(run->base);
	if (run->alone >= 0)
		close(run->alone);
	libevent_global_shutdown();
}

int lbr_run(const struct role *role, const struct options *options)
{
	struct run run = {
		.follow = {role, options->config ?: DEFAULT_CONFIG},
		.alone = -1,
	};
	const char *listen = options->listen ?: DEFAULT_LISTEN;
	struct fault fault_is = {0};
	int rc;

	rc = is_up(role, &fault_is) ?: alone(&run, &fault_is);
	rc = rc ?: run_start(&run, &fault_is);
	rc = rc ?: listen_on(&run, listen, &fault_is);
	if (!rc) {
		printf("running; status on %s, SIGHUP applies %s, SIGTERM "
		       "ends it\n",
		       listen, run.follow.path);
		notify("READY=1");
		event_base_dispatch(run.base);
		notify("STOPPING=1");
	}
	run_stop(&run);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}
