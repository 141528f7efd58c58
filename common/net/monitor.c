// SPDX-License-Identifier: GPL-2.0-only
#include "common/net/monitor.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/elapsed.h"

#define ROOM	 (4 << 20) /* bytes: a burst of 4,000 messages */
#define AGAIN	 20	   /* milliseconds until a failed look is repeated */
#define MOST_OFF 1000	   /* the longest time without a look, milliseconds */

static enum monitor_what what_of(const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return MONITOR_LINK;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return MONITOR_ADDRESS;
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		return MONITOR_NEIGHBOUR;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		return MONITOR_ROUTE;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		return MONITOR_RULE;
	case RTM_NEWNETCONF:
	case RTM_DELNETCONF:
		return MONITOR_SETTING;
	default:
		return 0;
	}
}

static int message_read(const struct nlmsghdr *message, void *data)
{
	enum monitor_what what = what_of(message);
	struct monitor *monitor = data;

	/* Who looks at all takes no message's word for anything. */
	if (what && monitor->what != MONITOR_ALL)
		monitor->what |= monitor->matters(monitor->data, message, what);
	return MNL_CB_OK;
}

/*
 * Reads all that has been said so far, to the end: once it has lost a message,
 * the kernel says nothing more until then.
 */
static void drain(struct monitor *monitor)
{
	static char page[32768];
	ssize_t length;

	for (;;) {
		length = recv(mnl_socket_get_fd(monitor->socket), page,
			      sizeof(page), MSG_DONTWAIT);
		if (length > 0)
			mnl_cb_run(page, (size_t)length, 0, 0, message_read,
				   monitor);
		else if (length < 0 && errno == ENOBUFS)
			monitor->what = MONITOR_ALL;
		else if (length == 0 || errno != EINTR)
			return;
	}
}

static void wait_for(struct monitor *monitor, long milliseconds)
{
	const struct timeval time = {milliseconds / 1000,
				     milliseconds % 1000 * 1000};

	event_del(monitor->heard);
	event_add(monitor->due, &time);
}

static void heard(evutil_socket_t fd, short events, void *data)
{
	struct monitor *monitor = data;

	(void)fd;
	(void)events;
	drain(monitor);
	wait_for(monitor, MONITOR_GATHER);
}

static void due(evutil_socket_t fd, short events, void *data)
{
	struct monitor *monitor = data;
	unsigned int what;
	long worked, rest;

	(void)fd;
	(void)events;
	drain(monitor);
	what = monitor->what;
	if (!what) {
		event_add(monitor->heard, NULL);
		return;
	}
	worked = milliseconds_worked();
	monitor->what = 0;
	monitor->what |= monitor->look(monitor->data, what);
	worked = milliseconds_worked() - worked;
	rest = monitor->what ? AGAIN + 4 * worked : 4 * worked;
	wait_for(monitor, rest < MOST_OFF ? rest : MOST_OFF);
}

static int join_all(const struct monitor *monitor)
{
	static const int groups[] = {
		RTNLGRP_LINK,	      RTNLGRP_NEIGH,	  RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,  RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,    RTNLGRP_IPV6_RULE,  RTNLGRP_IPV4_NETCONF,
		RTNLGRP_IPV6_NETCONF, RTNLGRP_NEXTHOP, /* 5.3; the last one */
	};
	const size_t count = sizeof(groups) / sizeof(*groups);
	size_t i;

	for (i = 0; i < count; i++) {
		if (setsockopt(mnl_socket_get_fd(monitor->socket), SOL_NETLINK,
			       NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) &&
		    i < count - 1)
			return -1;
	}
	return 0;
}

int monitor_start(struct monitor *monitor, struct event_base *base,
		  struct fault *fault_out)
{
	const int room = ROOM;
	int fd;

	monitor->socket =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!monitor->socket ||
	    mnl_socket_bind(monitor->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    join_all(monitor))
		return fault(fault_out, "cannot follow this host: %s",
			     strerror(errno));
	fd = mnl_socket_get_fd(monitor->socket);
	/*
	 * Without the larger buffer, a burst loses more messages; we then look
	 * at everything.
	 */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	monitor->heard =
		event_new(base, fd, EV_READ | EV_PERSIST, heard, monitor);
	monitor->due = evtimer_new(base, due, monitor);
	if (!monitor->heard || !monitor->due || event_add(monitor->heard, NULL))
		return fault(fault_out, "cannot follow this host: no memory");
	return 0;
}

void monitor_ask(struct monitor *monitor, unsigned int what)
{
	monitor->what |= what;
	if (!evtimer_pending(monitor->due, NULL))
		wait_for(monitor, 0);
}

void monitor_stop(struct monitor *monitor)
{
	if (monitor->heard)
		event_free(monitor->heard);
	if (monitor->due)
		event_free(monitor->due);
	if (monitor->socket)
		mnl_socket_close(monitor->socket);
	memset(monitor, 0, sizeof(*monitor));
}
