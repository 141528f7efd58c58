// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_http.c - a probe's request in HTTP/1.1, its answer, and OpenSSL's TLS
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#include "common/probe/probe_steps.h"
#include "common/base/address.h"
#include "common/core/address.h"

/* As a client names the service, whichever port is asked (RFC 9110 7.2). */
static void host_put(const struct probe *probe, struct evbuffer *request)
{
	const struct config_check *check = probe->check;
	__u16 port = bpf_ntohs(probe->client_port);
	bool is_ipv4 = addr_is_v4(&probe->vip);
	char vip[INET6_ADDRSTRLEN];

	if (*check->host)
		evbuffer_add_printf(request, "%s", check->host);
	else
		evbuffer_add_printf(request, is_ipv4 ? "%s" : "[%s]",
				    addr_text(&probe->vip, vip));
	if (port != (probe->type == CHECK_HTTPS ? 443 : 80) &&
	    !strchr(check->host, ':'))
		evbuffer_add_printf(request, ":%u", port);
}

int probe_ask(struct probe *probe)
{
	struct evbuffer *request = bufferevent_get_output(probe->stream);

	probe->answer = malloc(sizeof(*probe->answer));
	if (!probe->answer)
		return -1;
	http_answer_begin(probe->answer, probe->check);
	evbuffer_add_printf(request,
			    "GET %s HTTP/1.1\r\nHost: ", probe->check->path);
	host_put(probe, request);
	evbuffer_add_printf(request,
			    "\r\nUser-Agent: %s\r\nAccept: */*\r\n"
			    "Connection: close\r\n\r\n",
			    probe->prober->agent);
	return bufferevent_enable(probe->stream, EV_READ | EV_WRITE);
}

enum verdict probe_hear(struct probe *probe, bool all)
{
	struct evbuffer *input = bufferevent_get_input(probe->stream);
	char *why = probe->result.why, bytes[4096];
	size_t size = sizeof(probe->result.why);
	enum verdict verdict = VERDICT_OPEN;
	int length;

	while (verdict == VERDICT_OPEN &&
	       (length = evbuffer_remove(input, bytes, sizeof(bytes))) > 0)
		verdict = http_answer_read(probe->answer, bytes, (size_t)length,
					   why, size);
	if (verdict == VERDICT_OPEN && all)
		verdict = http_answer_end(probe->answer, why, size);
	return verdict;
}

/* A name and no address, without a port (RFC 6066 3). */
static void tls_name(SSL *tls, const char *host)
{
	char name[CHECK_TEXT];
	struct addr address;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":"), host);
	if (*name && *name != '[' && addr_parse(name, &address))
		SSL_set_tlsext_host_name(tls, name);
}

SSL *probe_tls(struct probe *probe)
{
	struct prober *prober = probe->prober;
	SSL *tls;

	if (!prober->tls) {
		prober->tls = SSL_CTX_new(TLS_client_method());
		if (!prober->tls)
			return NULL;
		SSL_CTX_set_verify(prober->tls, SSL_VERIFY_NONE, NULL);
	}
	tls = SSL_new(prober->tls);
	if (tls)
		tls_name(tls, probe->check->host);
	return tls;
}
