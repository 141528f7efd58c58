// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_udp.c - a probe's datagram, and its answer
 *
 * Who does not see our datagram may still name its port, after 28,000 guesses:
 * in an ICMP error, or in an answer from the VIP. So nothing but a good answer
 * ends a probe before its time. What else comes counts at the end, if no good
 * answer has come.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "LoadBalancer/health/probe_steps.h"

static void datagram_came(evutil_socket_t fd, short what, void *data)
{
	struct probe *probe = data;
	char text[65536];
	ssize_t length = recv(fd, text, sizeof(text), 0);

	(void)what;
	/* EAGAIN: a datagram whose checksum was wrong. */
	if (length < 0 && errno != EAGAIN && !probe->refused)
		probe->refused = errno;
	if (length >= 0 &&
	    udp_answered(probe->check, text, (size_t)length, probe->result.why,
			 sizeof(probe->result.why)) == VERDICT_GOOD) {
		*probe->result.why = '\0';
		probe_application(probe, OUTCOME_GOOD);
		return;
	}
	event_add(probe->bare, NULL);
}

int probe_datagram(struct probe *probe)
{
	struct sockaddr_storage to;
	unsigned int length = probe_address(probe, &to);
	const char *text = probe->check->send;

	if (connect(probe->fd, (struct sockaddr *)&to, length) ||
	    send(probe->fd, text, strlen(text), 0) < 0)
		return -1;
	probe->bare = event_new(probe->prober->base, probe->fd, EV_READ,
				datagram_came, probe);
	errno = ENOMEM;
	return probe->bare ? event_add(probe->bare, NULL) : -1;
}
