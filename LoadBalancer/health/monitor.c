// SPDX-License-Identifier: GPL-2.0-only
/*
 * monitor.c - see monitor.h
 *
 * Others change what runs: `apply`, `up`, `down`. So look() compares the
 * generation once a second. A verdict that takes a backend out or in is written
 * as a generation, too, together with all others of the same moment.
 *
 * The loop waits for nobody: it reads without a lock. If another process holds
 * the lock that a change needs, it tries again and reports who holds it.
 */
#include "LoadBalancer/health/monitor.h"

#include <stdio.h>
#include <string.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/states.h"
#include "common/base/address.h"
#include "common/host/announce.h"
#include "common/kernel/generation.h"

static const struct timeval second = {1, 0};
static const struct timeval moment = {0, 10 * 1000};
/* How long until it tries again for a lock that another process holds. */
static const struct timeval soon = {0, 20 * 1000};

/* What runs now, and what it says of checks. 0, or -1 with a fault. */
static int read_once(const struct kernel *kernel, struct running *running,
		     struct config *config, struct fault *fault_out)
{
	if (file_running(kernel, NULL, config, fault_out))
		return -1;
	if (!running_read(kernel, generation_current(kernel), running,
			  fault_out))
		return 0;
	config_free(config);
	return -1;
}

static int read_now(const struct lbr_monitor *monitor, struct running *running,
		    struct config *config, struct fault *fault_out)
{
	int rc, left = KERNEL_READS;
	struct kernel kernel;
	bool changed;

	do {
		rc = kernel_open(&kernel, monitor->role, ACCESS_READ,
				 fault_out);
		rc = rc ?: read_once(&kernel, running, config, fault_out);
		changed = kernel_changed(&kernel) && left--;
		kernel_close(&kernel);
		if (changed && !rc) {
			running_free(running);
			config_free(config);
		}
	} while (changed);
	return rc ? -1 : 0;
}

/* Somebody has removed the veth, or a map that checks need. */
static bool is_cut_off(const struct lbr_monitor *monitor)
{
	return monitor->path.id && check_path_is_stale(&monitor->path);
}

/* Takes the lock for a change. 0, KERNEL_BUSY for now, or -1; with a fault. */
static int change_open(struct lbr_monitor *monitor, struct kernel *kernel,
		       struct fault *fault_out)
{
	int rc = kernel_open(kernel, monitor->role, ACCESS_TRY, fault_out);

	lock_tried(&monitor->waiting, kernel->directory, rc == KERNEL_BUSY);
	return rc;
}

/* Opens the path of checks, if there are any. 0, KERNEL_BUSY, or -1. */
static int check_path_now(struct lbr_monitor *monitor, struct fault *fault_out)
{
	char path[KERNEL_DIRECTORY];
	int rc;

	if (monitor->path.id || !file_wants_check_path(&monitor->config))
		return 0;
	rc = check_path_open(&monitor->path, monitor->role, fault_out);
	kernel_directory(monitor->role, path);
	lock_tried(&monitor->waiting, path, rc == KERNEL_BUSY);
	return rc;
}

static void adopted(struct lbr_monitor *monitor,
		    const struct generation *generation)
{
	monitor->number = generation->number;
	monitor->switched = generation->switched;
}

/* Is what is checked what runs? */
static bool is_adopted(const struct lbr_monitor *monitor,
		       const struct kernel *kernel)
{
	struct generation generation;

	return monitor->number &&
	       !generation_read(kernel, generation_current(kernel),
				&generation) &&
	       generation.number == monitor->number &&
	       generation.switched == monitor->switched;
}

/* `all`: also what has not changed is looked at. */
static void announce_soon(struct lbr_monitor *monitor, bool all)
{
	monitor->announcer.is_all |= all;
	if (!evtimer_pending(monitor->announce, NULL))
		event_add(monitor->announce, &moment);
}

/* What runs is announced as well as it is fit. A fault is said once. */
static void announce(evutil_socket_t fd, short what, void *data)
{
	struct lbr_monitor *monitor = data;
	const struct timeval *again = NULL;
	struct fault fault_is = {0};
	struct kernel kernel;
	int rc = change_open(monitor, &kernel, &fault_is);

	(void)fd;
	(void)what;
	if (rc == KERNEL_BUSY) {
		again = &soon;
	} else if (rc ? rc != KERNEL_NOT_UP
		      : is_adopted(monitor, &kernel) &&
				   announcer_now(&monitor->announcer, &kernel,
						 &monitor->config, &fault_is)) {
		if (strcmp(monitor->said.cause, fault_is.cause))
			fault_warn(&fault_is);
		monitor->said = fault_is;
		again = &second;
	}
	kernel_close(&kernel);
	if (again)
		event_add(monitor->announce, again);
	else
		*monitor->said.cause = '\0';
}

/* Returns 0, or with a fault KERNEL_BUSY or -1. */
static int adopt(struct lbr_monitor *monitor, struct fault *fault_out)
{
	struct config old = monitor->config, new;
	struct running running;
	int rc;

	if (read_now(monitor, &running, &new, fault_out))
		return -1;
	monitor->config = new;
	if (relevant_backends(&monitor->relevant, &new, fault_out))
		fault_warn(fault_out);
	/* Another file may need other settings of this host. */
	if (memcmp(monitor->digest, running.generation.digest,
		   sizeof(monitor->digest)))
		upkeep_all(&monitor->upkeep);
	memcpy(monitor->digest, running.generation.digest,
	       sizeof(monitor->digest));
	if (is_cut_off(monitor)) {
		checks_stop(&monitor->checks);
		check_path_close(&monitor->path);
	}
	rc = check_path_now(monitor, fault_out);
	if (!rc) {
		adopted(monitor, &running.generation);
		rc = checks_sync(&monitor->checks, &running, fault_out);
	}
	heartbeats_follow(&monitor->heartbeats, true);
	/* The rows refer to the old file, which is gone now. */
	if (rc)
		checks_stop(&monitor->checks);
	unmarking_follow(&monitor->unmarking, &running);
	serving_follow(&monitor->serving, &monitor->config, &running);
	announce_soon(monitor, true);
	running_free(&running);
	config_free(&old);
	return rc;
}

/* What runs now; 0: nothing. If that cannot be seen, what ran before. */
static __u64 number_now(const struct lbr_monitor *monitor)
{
	struct fault ignored;
	struct kernel kernel;
	int rc = kernel_open(&kernel, monitor->role, ACCESS_READ, &ignored);

	kernel_close(&kernel);
	return rc == KERNEL_NOT_UP ? 0 : rc ? monitor->number : kernel.number;
}

/* For upkeep. NULL: another generation runs, which look() has to read first. */
static const struct config *config_now(void *data, struct kernel *kernel)
{
	struct lbr_monitor *monitor = data;
	if (!monitor->number)
		return NULL;
	if (is_adopted(monitor, kernel))
		return &monitor->config;
	memset(monitor->digest, 0, sizeof(monitor->digest));
	event_active(monitor->look, EV_TIMEOUT, 0);
	return NULL;
}

static unsigned int matters(void *data, const struct nlmsghdr *message,
			    enum monitor_what what)
{
	struct lbr_monitor *monitor = data;

	if (what == MONITOR_ROUTE &&
	    announce_is_removed(&monitor->config.announce, message))
		announce_soon(monitor, true);
	return relevant_message(&monitor->relevant, message, what);
}

static int also(void *data, struct kernel *kernel, const struct config *config,
		unsigned int what, struct fault *fault_out)
{
	struct lbr_monitor *monitor = data;

	return relevant_look(&monitor->relevant, kernel, config, what,
			     fault_out);
}

static const struct upkeep_calls upkeep_calls = {config_now, matters, also};

static void look(evutil_socket_t fd, short what, void *data)
{
	struct lbr_monitor *monitor = data;
	__u64 number = number_now(monitor);
	const struct timeval *next = &second;
	struct fault fault_is = {0};
	int rc = 0;

	(void)fd;
	(void)what;
	if (!number && monitor->number) {
		printf("%s is not up here any more; waiting for it\n",
		       monitor->role->program);
		checks_stop(&monitor->checks);
		serving_rest(&monitor->serving);
		if (monitor->path.id)
			check_path_close(&monitor->path);
		monitor->number = 0;
	} else if (number != monitor->number || is_cut_off(monitor)) {
		rc = adopt(monitor, &fault_is);
	} else if (monitor->number)
		heartbeats_follow(&monitor->heartbeats, false);
	if (rc == KERNEL_BUSY)
		next = &soon;
	else if (rc)
		fault_warn(&fault_is);
	event_add(monitor->look, next);
}

void lbr_monitor_again(struct lbr_monitor *monitor)
{
	monitor->number = 0;
	event_active(monitor->look, EV_TIMEOUT, 0);
}

/* 0, or with a fault KERNEL_BUSY, KERNEL_NOT_UP or -1. */
static int states_now(struct lbr_monitor *monitor, struct fault *fault_out)
{
	struct kernel kernel;
	int rc = change_open(monitor, &kernel, fault_out);
	bool is_known = !rc && is_adopted(monitor, &kernel);
	struct generation generation;

	if (!rc && !generation_is_quiet(&kernel, &monitor->quiet))
		rc = KERNEL_BUSY;
	if (!rc && states_write(&kernel, is_known ? &monitor->config : NULL,
				checks_finding, &monitor->checks, fault_out))
		rc = -1;
	/* It differs in what was found; there is nothing to read again. */
	if (!rc && is_known &&
	    !generation_read(&kernel, generation_current(&kernel), &generation))
		adopted(monitor, &generation);
	kernel_close(&kernel);
	return rc;
}

static void write_states(evutil_socket_t fd, short what, void *data)
{
	struct lbr_monitor *monitor = data;
	struct fault fault_is = {0};
	int rc = states_now(monitor, &fault_is);

	(void)fd;
	(void)what;
	if (!rc) {
		event_active(monitor->look, EV_TIMEOUT, 0);
		announce_soon(monitor, false);
		return;
	}
	/* Without a program there are no states: look() reports it. */
	if (rc == KERNEL_NOT_UP)
		return;
	if (rc != KERNEL_BUSY)
		fault_warn(&fault_is);
	event_add(monitor->write, rc == KERNEL_BUSY ? &soon : &second);
}

/* Writes the last verdicts, but does not wait long for the lock. */
static void write_last(struct lbr_monitor *monitor)
{
	static const struct timespec pause = {0, 20 * 1000 * 1000};
	struct fault fault_is = {0};
	int left = 50, rc;

	while ((rc = states_now(monitor, &fault_is)) == KERNEL_BUSY && left--)
		nanosleep(&pause, NULL);
	if (rc && rc != KERNEL_NOT_UP)
		fault_warn(&fault_is);
}

static void changed(struct checked *backend, bool is_news, void *data)
{
	struct lbr_monitor *monitor = data;
	char vip[64], address[INET6_ADDRSTRLEN];

	if (is_news)
		printf("%s/%s: backend %s is %s%s%s\n",
		       endpoint_text(&backend->service.vip,
				     backend->service.port, vip),
		       protocol_name(backend->service.protocol),
		       addr_text(&backend->probe.backend, address),
		       checked_is_down(backend) ? "down" : "up",
		       *backend->noted ? ": " : "", backend->noted);
	event_add(monitor->write, &moment);
}

int lbr_monitor_start(struct lbr_monitor *monitor, struct event_base *base,
		      struct fault *fault_out)
{
	int rc;

	heartbeats_init(&monitor->heartbeats, monitor->role, base,
			&monitor->checks);
	check_path_init(&monitor->path, &monitor->config);
	check_path_calls(&monitor->path, &monitor->calls);
	monitor->checks = (struct checks){
		.prober = {.base = base,
			   .path = &monitor->calls,
			   .agent = "lbr"},
		.config = &monitor->config,
		.heartbeats = &monitor->heartbeats,
		.changed = changed,
		.data = monitor,
	};
	monitor->look = evtimer_new(base, look, monitor);
	monitor->write = evtimer_new(base, write_states, monitor);
	monitor->announce = evtimer_new(base, announce, monitor);
	monitor->unmarking.role = monitor->role;
	monitor->serving.role = monitor->role;
	if (!monitor->look || !monitor->write || !monitor->announce ||
	    hooks_start(&monitor->announcer.hooks, base) ||
	    unmarking_start(&monitor->unmarking, base) ||
	    serving_start(&monitor->serving, base))
		return fault(fault_out, "cannot run: no memory");
	if (upkeep_start(&monitor->upkeep, monitor->role, &upkeep_calls,
			 monitor, base, fault_out))
		return -1;
	rc = adopt(monitor, fault_out);
	return rc && rc != KERNEL_BUSY
		       ? -1
		       : event_add(monitor->look, rc ? &soon : &second);
}

void lbr_monitor_stop(struct lbr_monitor *monitor)
{
	if (monitor->write && evtimer_pending(monitor->write, NULL))
		write_last(monitor);
	upkeep_stop(&monitor->upkeep);
	quiet_stop(&monitor->quiet);
	unmarking_stop(&monitor->unmarking);
	serving_stop(&monitor->serving);
	relevant_free(&monitor->relevant);
	heartbeats_stop(&monitor->heartbeats);
	checks_stop(&monitor->checks);
	if (monitor->path.id)
		check_path_close(&monitor->path);
	hooks_stop(&monitor->announcer.hooks);
	if (monitor->announce)
		event_free(monitor->announce);
	if (monitor->look)
		event_free(monitor->look);
	if (monitor->write)
		event_free(monitor->write);
	SSL_CTX_free(monitor->checks.prober.tls);
	stalls_free(&monitor->checks.prober.stalls);
	config_free(&monitor->config);
}
