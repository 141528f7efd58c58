// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe.c - see probe.h
 *
 * Uses the kernel's TCP, and OpenSSL's TLS. A connection is ended by a reset,
 * so none is left on this host, however many backends there are.
 */
#include "common/probe/probe.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/probe/probe_steps.h"
#include "common/base/address.h"
#include "common/core/address.h"

void probe_stop(struct probe *probe)
{
	if (probe->timer)
		event_free(probe->timer);
	stalls_end(&probe->prober->stalls, &probe->wait);
	if (probe->bare)
		event_free(probe->bare);
	if (probe->stream)
		bufferevent_free(probe->stream);
	else if (probe->fd >= 0)
		close(probe->fd);
	free(probe->answer);
	probe->timer = probe->bare = NULL;
	probe->stream = NULL;
	probe->answer = NULL;
	probe->fd = -1;
}

/* Late packets of its last socket have come by now. */
static void forget(struct probe *probe)
{
	const struct probe_path *path = probe->prober->path;

	if (probe->key.protocol)
		path->forget(path->data, &probe->key, probe->backend_id);
	probe->key.protocol = 0;
}

void probe_end(struct probe *probe)
{
	probe_stop(probe);
	forget(probe);
}

void probe_finish(struct probe *probe)
{
	probe->result.took = (__u32)(microseconds_now() - probe->wait.begun);
	probe_stop(probe);
	probe->done(probe, probe->data);
}

/* The backend has answered. */
void probe_application(struct probe *probe, enum outcome outcome)
{
	/* A direct probe's answer finds its socket, a client's nobody. */
	if (probe->direct && probe->elsewhere) {
		probe_not_heard(probe);
		return;
	}
	probe->result.path = OUTCOME_GOOD;
	probe->result.application = outcome;
	probe->heard = true;
	probe->told = false;
	probe_finish(probe);
}

void probe_bad(struct probe *probe, const char *why)
{
	snprintf(probe->result.why, sizeof(probe->result.why), "%s", why);
	probe_application(probe, OUTCOME_BAD);
}

/*
 * Nothing was sent. Unless it is direct, that says nothing about the path:
 * xdp_lbr_check would say it.
 */
static void unsent(struct probe *probe, int error)
{
	struct result *result = &probe->result;

	if (probe->direct && !health_is_own_lack(error)) {
		if (probe->judges_path)
			result->path = OUTCOME_BAD;
		else
			result->application = OUTCOME_BAD;
	}
	snprintf(result->why, sizeof(result->why), "not sent: %s",
		 strerror(error));
}

/* Did TCP get through, whatever came after? */
static bool is_connected(const struct probe *probe)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	return probe->type != CHECK_UDP &&
	       !getsockopt(probe->fd, IPPROTO_TCP, TCP_INFO, &info, &length) &&
	       info.tcpi_state != TCP_SYN_SENT && info.tcpi_state != TCP_CLOSE;
}

/* A reset, and the ICMP error "port unreachable", are answers, too. */
void probe_refused(struct probe *probe, int error)
{
	if (health_is_answer(error))
		probe_bad(probe, strerror(error));
	else
		probe_path_bad(probe, strerror(error));
}

static void late(evutil_socket_t fd, short what, void *data)
{
	struct probe *probe = data;
	struct timeval left;

	(void)fd;
	(void)what;
	if (stalls_left(&probe->prober->stalls, &probe->wait,
			microseconds_now(), &left))
		event_add(probe->timer, &left);
	else if (is_connected(probe))
		probe_bad(probe, "no answer in time");
	else if (probe->type == CHECK_UDP && datagram_is_bad(probe))
		return; /* it has ended */
	else if (probe_may_be_silent(probe))
		probe_silent(probe);
	else if (host_refused_lately(probe))
		probe_bad(probe, "no answer");
	else
		probe_path_bad(probe, "no answer");
}

/* Takes what has come; `all`: nothing more will come. */
static void heard(struct probe *probe, bool all)
{
	enum verdict verdict = probe_hear(probe, all);

	if (verdict != VERDICT_OPEN)
		probe_application(probe, verdict == VERDICT_GOOD ? OUTCOME_GOOD
								 : OUTCOME_BAD);
}

static void ask(struct probe *probe)
{
	if (!probe_ask(probe))
		return;
	unsent(probe, ENOMEM);
	probe_finish(probe);
}

static void readable(struct bufferevent *stream, void *data)
{
	struct probe *probe = data;

	(void)stream;
	if (probe->answer)
		heard(probe, false);
}

static void happened(struct bufferevent *stream, short what, void *data)
{
	struct probe *probe = data;
	int error = EVUTIL_SOCKET_ERROR();
	bool tls = probe->type == CHECK_HTTPS;

	(void)stream;
	if (what & BEV_EVENT_CONNECTED) {
		if (probe->type == CHECK_TCP)
			probe_application(probe, probe->judges_path
							 ? OUTCOME_UNKNOWN
							 : OUTCOME_GOOD);
		else
			ask(probe);
		return;
	}
	if (probe->answer && (what & BEV_EVENT_EOF || tls)) {
		heard(probe, true);
		return;
	}
	if (tls && is_connected(probe))
		probe_bad(probe, "no TLS");
	else
		probe_refused(probe, error);
}

static int stream_begin(struct probe *probe)
{
	errno = ENOMEM;
	if (!probe->stream)
		return -1;
	bufferevent_setcb(probe->stream, readable, NULL, happened, probe);
	bufferevent_setwatermark(probe->stream, EV_READ, 0, HTTP_MOST / 4);
	return bufferevent_enable(probe->stream, EV_READ | EV_WRITE);
}

/* TCP is connected, or has failed; TLS comes after it. */
static void tls_start(evutil_socket_t fd, short what, void *data)
{
	struct probe *probe = data;
	socklen_t length = sizeof(int);
	int error = 0;
	SSL *tls;

	(void)what;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error) {
		probe_refused(probe, error);
		return;
	}
	tls = probe_tls(probe);
	if (tls)
		probe->stream = bufferevent_openssl_socket_new(
			probe->prober->base, fd, tls,
			BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (!stream_begin(probe)) {
		bufferevent_openssl_set_allow_dirty_shutdown(probe->stream, 1);
		return;
	}
	if (tls && !probe->stream)
		SSL_free(tls);
	unsent(probe, ENOMEM);
	probe_finish(probe);
}

unsigned int probe_address(const struct probe *probe,
			   struct sockaddr_storage *to)
{
	return socket_address(to, probe->direct ? &probe->backend : &probe->vip,
			      probe->port);
}

/* Returns 0, or -1 with errno. */
static int stream_start(struct probe *probe)
{
	static const struct linger reset = {1, 0};
	struct event_base *base = probe->prober->base;
	struct sockaddr_storage to;
	socklen_t length = probe_address(probe, &to);

	setsockopt(probe->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	if (probe->type != CHECK_HTTPS) {
		probe->stream = bufferevent_socket_new(base, probe->fd,
						       BEV_OPT_CLOSE_ON_FREE);
		return stream_begin(probe)
			       ?: bufferevent_socket_connect(
					  probe->stream, (struct sockaddr *)&to,
					  (int)length);
	}
	if (connect(probe->fd, (struct sockaddr *)&to, length) &&
	    errno != EINPROGRESS)
		return -1;
	probe->bare = event_new(base, probe->fd, EV_WRITE, tls_start, probe);
	errno = ENOMEM;
	return probe->bare ? event_add(probe->bare, NULL) : -1;
}

/* Returns the fd, or -1 with errno. */
static int probe_socket(struct probe *probe, __u8 protocol)
{
	const struct probe_path *path = probe->prober->path;

	probe->elsewhere = 0;
	if (!probe->direct || probe->judges_path)
		return path->socket(path->data, probe, protocol);
	return socket(addr_is_v4(&probe->backend) ? AF_INET : AF_INET6,
		      (protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) |
			      SOCK_NONBLOCK | SOCK_CLOEXEC,
		      0);
}

static int begin(struct probe *probe)
{
	bool udp = probe->type == CHECK_UDP;

	forget(probe);
	probe->fd = probe_socket(probe, udp ? IPPROTO_UDP : IPPROTO_TCP);
	if (probe->fd < 0)
		return -1;
	return udp ? probe_datagram(probe) : stream_start(probe);
}

static void failed(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	probe_finish(data);
}

void probe_start(struct probe *probe)
{
	struct timeval timeout = {probe->check->timeout / 1000,
				  probe->check->timeout % 1000 * 1000};
	static const struct timeval now;

	memset(&probe->result, 0, sizeof(probe->result));
	stalls_begin(&probe->prober->stalls, probe->prober->base, &probe->wait,
		     probe->check->timeout);
	probe->fd = -1;
	probe->refused = 0;
	if (!begin(probe)) {
		probe->timer = evtimer_new(probe->prober->base, late, probe);
	} else {
		/* Reported later, like all results. */
		unsent(probe, errno);
		timeout = now;
		probe->timer = evtimer_new(probe->prober->base, failed, probe);
	}
	if (probe->timer)
		event_add(probe->timer, &timeout);
}
