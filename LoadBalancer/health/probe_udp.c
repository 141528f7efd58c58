// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_udp.c - a probe's datagram, and its answer
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
	enum verdict verdict;

	(void)what;
	if (length < 0 && errno == EAGAIN) {
		/* A datagram whose checksum was wrong. */
		event_add(probe->bare, NULL);
		return;
	}
	if (length < 0) {
		probe_refused(probe, errno);
		return;
	}
	verdict = udp_answered(probe->check, text, (size_t)length,
			       probe->result.why, sizeof(probe->result.why));
	probe_application(probe,
			  verdict == VERDICT_GOOD ? OUTCOME_GOOD : OUTCOME_BAD);
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
