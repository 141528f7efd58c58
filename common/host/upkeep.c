// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/upkeep.h"

#include <stdlib.h>
#include <string.h>

#include "common/host/interfaces.h"
#include "common/kernel/kernel.h"

/* rtnetlink reports changes of only a few sysctls. */
static const struct timeval poll_every = {5, 0};
#define POLLED (MONITOR_SETTING | MONITOR_NEIGHBOUR)

static void say_once(struct upkeep *upkeep, const struct fault *fault_is)
{
	if (strcmp(upkeep->said.cause, fault_is->cause))
		fault_warn(fault_is);
	upkeep->said = *fault_is;
	upkeep->failed = true;
}

/*
 * The host's settings; if the file is not known, they are left alone. If one
 * cannot be set, everything else is still followed.
 */
static void host_again(struct upkeep *upkeep, struct kernel *kernel,
		       const struct config *config, struct fault *fault_out)
{
	if (config && kernel->role->host(kernel, config, NULL, fault_out))
		say_once(upkeep, fault_out);
}

/* Attaches to interfaces of ours that were made again, or taken from us. */
static int attach_again(struct upkeep *upkeep, struct kernel *kernel,
			const struct config *config, struct fault *fault_out)
{
	int i, count = kernel->attachment_count;

	/* Another program may be on one of them. */
	if (kernel_choose_again(kernel, MODE_AUTO, fault_out) < 0)
		say_once(upkeep, fault_out);
	if (kernel->attachment_count == count)
		return 0;
	for (i = count; i < kernel->attachment_count; i++)
		change_again_new(kernel, kernel->attachments[i].name);
	host_again(upkeep, kernel, config, fault_out);
	return interfaces_write(kernel, config, fault_out)
		       ?: kernel_attach_new(kernel, fault_out)
		       ?: interfaces_write(kernel, config, fault_out);
}

static void say_gone(struct upkeep *upkeep, const struct kernel *kernel)
{
	int i;

	for (i = 0; i < kernel->gone_count; i++) {
		if (kernel->gone_count > upkeep->gone_count)
			printf("%s: %s is no longer attached: the interface "
			       "was removed, or the program detached\n",
			       kernel->gone[i].name, kernel->role->program);
	}
	upkeep->gone_count = kernel->gone_count;
}

/* Looks at all of `what` that both tools need. */
static int look_both(struct upkeep *upkeep, struct kernel *kernel,
		     const struct config *config, unsigned int what,
		     struct fault *fault_out)
{
	/* Also if only names have changed. */
	if (kernel_attachments(kernel, fault_out))
		return -1;
	say_gone(upkeep, kernel);
	if (kernel->gone_count &&
	    attach_again(upkeep, kernel, config, fault_out))
		return -1;
	host_again(upkeep, kernel, config, fault_out);
	if (what & (MONITOR_LINK | MONITOR_ADDRESS))
		return interfaces_write(kernel, config, fault_out);
	return 0;
}

/* The next look by time comes after so many milliseconds at the latest. */
static void look_within(struct upkeep *upkeep, int milliseconds)
{
	struct timeval time = {milliseconds / 1000, milliseconds % 1000 * 1000};

	if (timercmp(&time, &poll_every, <))
		event_add(upkeep->poll, &time);
}

static unsigned int look(void *data, unsigned int what)
{
	struct upkeep *upkeep = data;
	struct fault fault_is = {0};
	const struct config *config;
	struct kernel kernel;
	int rc, later = 0;

	upkeep->failed = false;
	rc = kernel_open(&kernel, upkeep->role, ACCESS_TRY, &fault_is);
	lock_tried(&upkeep->waiting, kernel.directory, rc == KERNEL_BUSY);
	if (!rc && kernel.was_up) {
		config = upkeep->calls->config(upkeep->data, &kernel);
		kernel.again = &upkeep->again;
		kernel.address_count =
			change_addresses(&kernel, kernel.addresses, MAX_OWN);
		rc = look_both(upkeep, &kernel, config, what, &fault_is);
		if (!rc && config)
			later = upkeep->calls->also(upkeep->data, &kernel,
						    config, what, &fault_is);
	}
	kernel_close(&kernel);
	if (later > 0)
		look_within(upkeep, later);
	rc = rc ?: (later < 0 ? -1 : 0);
	if (rc == KERNEL_BUSY)
		return what;
	if (rc && rc != KERNEL_NOT_UP)
		say_once(upkeep, &fault_is);
	if (!upkeep->failed)
		memset(&upkeep->said, 0, sizeof(upkeep->said));
	return 0;
}

static unsigned int matters(void *data, const struct nlmsghdr *message,
			    enum monitor_what what)
{
	const struct upkeep *upkeep = data;

	return upkeep->calls->matters(upkeep->data, message, what);
}

static void poll_now(evutil_socket_t fd, short events, void *data)
{
	struct upkeep *upkeep = data;

	(void)fd;
	(void)events;
	monitor_ask(&upkeep->monitor, POLLED);
	event_add(upkeep->poll, &poll_every);
}

int upkeep_start(struct upkeep *upkeep, const struct role *role,
		 const struct upkeep_calls *calls, void *data,
		 struct event_base *base, struct fault *fault_out)
{
	upkeep->role = role;
	upkeep->calls = calls;
	upkeep->data = data;
	upkeep->monitor.matters = matters;
	upkeep->monitor.look = look;
	upkeep->monitor.data = upkeep;
	upkeep->poll = evtimer_new(base, poll_now, upkeep);
	if (!upkeep->poll || event_add(upkeep->poll, &poll_every))
		return fault(fault_out, "cannot follow this host: no memory");
	if (monitor_start(&upkeep->monitor, base, fault_out))
		return -1;
	upkeep_all(upkeep);
	return 0;
}

void upkeep_all(struct upkeep *upkeep)
{
	monitor_ask(&upkeep->monitor, MONITOR_ALL);
}

void upkeep_stop(struct upkeep *upkeep)
{
	if (upkeep->poll)
		event_free(upkeep->poll);
	upkeep->poll = NULL;
	monitor_stop(&upkeep->monitor);
	free(upkeep->again.rows);
	memset(&upkeep->again, 0, sizeof(upkeep->again));
}
