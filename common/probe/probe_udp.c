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

#include "common/probe/probe_steps.h"
#include "common/core/address.h"
#include "common/core/hash.h"

/* So long a refusal holds in microseconds: twice as long as hosts are quiet. */
#define LATELY 2000000

static unsigned int refusal_of(const struct probe *probe)
{
	const struct addr *backend = &probe->backend;

	return (unsigned int)hash_destination(backend) % REFUSALS;
}

static void refusal_note(struct probe *probe, int error)
{
	struct refusals *refusals = &probe->prober->refusals;
	unsigned int i = refusal_of(probe);

	if (!probe->refused)
		probe->refused = error;
	if (!health_is_answer(error))
		return;
	probe->refused_at = microseconds_now();
	refusals->of[i].backend = probe->backend;
	refusals->of[i].at = probe->refused_at;
}

static bool is_lately(__u64 at)
{
	return at && microseconds_now() - at < LATELY;
}

bool datagram_is_bad(struct probe *probe)
{
	if (*probe->result.why)
		probe_application(probe, OUTCOME_BAD);
	else if (probe->refused)
		probe_refused(probe, probe->refused);
	else if (is_lately(probe->refused_at))
		probe_refused(probe, ECONNREFUSED);
	else
		return false;
	return true;
}

bool host_refused_lately(const struct probe *probe)
{
	const struct refusals *refusals = &probe->prober->refusals;
	unsigned int i = refusal_of(probe);

	return probe->type == CHECK_UDP && is_lately(refusals->of[i].at) &&
	       addr_equal(&refusals->of[i].backend, &probe->backend);
}

static void datagram_came(evutil_socket_t fd, short what, void *data)
{
	struct probe *probe = data;
	char text[65536];
	ssize_t length = recv(fd, text, sizeof(text), 0);

	(void)what;
	/* EAGAIN: a datagram whose checksum was wrong. */
	if (length < 0 && errno != EAGAIN)
		refusal_note(probe, errno);
	if (length >= 0)
		probe->refused_at = 0;
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
