// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool/server.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "common/tool/http_request.h"

#define CLIENTS_MOST 64

/* For all of a request and its answer. */
static const struct timeval patience = {5, 0};

struct client {
	TAILQ_ENTRY(client) others;
	struct server *server;
	struct bufferevent *stream;
	struct event *late;
};

TAILQ_HEAD(clients, client);

struct server {
	struct event_base *base;
	struct evconnlistener *listener;
	const struct document_at *documents;
	void *data;
	struct clients clients; /* the oldest first */
	int count;
};

static void client_free(struct client *client)
{
	TAILQ_REMOVE(&client->server->clients, client, others);
	client->server->count--;
	if (client->late)
		event_free(client->late);
	bufferevent_free(client->stream);
	free(client);
}

static void late(evutil_socket_t fd, short what, void *data)
{
	(void)fd;
	(void)what;
	client_free(data);
}

static void happened(struct bufferevent *stream, short what, void *data)
{
	(void)stream;
	(void)what;
	client_free(data);
}

static void written(struct bufferevent *stream, void *data)
{
	(void)stream;
	client_free(data);
}

static const char *status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Service Unavailable";
	}
}

static void answer(struct client *client, const struct request *request)
{
	const struct document_at *document = client->server->documents;
	struct evbuffer *out = bufferevent_get_output(client->stream);
	struct evbuffer *body = evbuffer_new();
	int status = request->status;

	while (document->path && strcmp(document->path, request->path))
		document++;
	if (status == 200 && !document->path)
		status = 404;
	if (status == 200 && document->write(client->server->data, body))
		status = 503;
	if (status != 200) {
		evbuffer_drain(body, evbuffer_get_length(body));
		evbuffer_add_printf(body, "%d %s\n", status,
				    status_text(status));
	}
	evbuffer_add_printf(
		out,
		"HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n"
		"Cache-Control: no-store\r\n"
		"X-Content-Type-Options: nosniff\r\n"
		"Content-Security-Policy: default-src 'none'; "
		"style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
		"connect-src 'self'; frame-ancestors 'none'\r\n%s\r\n",
		status, status_text(status),
		status == 200 ? document->type : "text/plain; charset=utf-8",
		evbuffer_get_length(body),
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!request->head_only)
		evbuffer_add_buffer(out, body);
	evbuffer_free(body);
}

static void readable(struct bufferevent *stream, void *data)
{
	struct client *client = data;
	struct evbuffer *input = bufferevent_get_input(stream);
	struct request request;

	if (!http_request((char *)evbuffer_pullup(input, -1),
			  evbuffer_get_length(input), &request))
		return;
	bufferevent_disable(stream, EV_READ);
	bufferevent_setcb(stream, NULL, written, happened, client);
	answer(client, &request);
}

static void accepted(struct evconnlistener *listener, evutil_socket_t fd,
		     struct sockaddr *from, int length, void *data)
{
	struct server *server = data;
	struct client *client = calloc(1, sizeof(*client));

	(void)listener;
	(void)from;
	(void)length;
	if (client)
		client->stream = bufferevent_socket_new(server->base, fd,
							BEV_OPT_CLOSE_ON_FREE);
	if (!client || !client->stream) {
		free(client);
		evutil_closesocket(fd);
		return;
	}
	client->server = server;
	TAILQ_INSERT_TAIL(&server->clients, client, others);
	server->count++;
	client->late = evtimer_new(server->base, late, client);
	if (!client->late || event_add(client->late, &patience)) {
		client_free(client);
		return;
	}
	bufferevent_setwatermark(client->stream, EV_READ, 0, REQUEST_MOST);
	bufferevent_setcb(client->stream, readable, NULL, happened, client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
	if (server->count > CLIENTS_MOST)
		client_free(TAILQ_FIRST(&server->clients));
}

/* Out of files: it would be called again at once. */
static void not_accepted(struct evconnlistener *listener, void *data)
{
	struct server *server = data;

	(void)listener;
	if (server->count)
		client_free(TAILQ_FIRST(&server->clients));
}

struct server *server_start(struct event_base *base, const char *listen,
			    const struct document_at *documents, void *data,
			    struct fault *fault_out)
{
	struct sockaddr_storage on = {0};
	int length = sizeof(on);
	struct server *server = calloc(1, sizeof(*server));

	if (!server) {
		fault(fault_out, "cannot listen: no memory");
		return NULL;
	}
	server->base = base;
	server->documents = documents;
	server->data = data;
	TAILQ_INIT(&server->clients);
	errno = EINVAL; /* not an address, or without a port */
	if (!evutil_parse_sockaddr_port(listen, (struct sockaddr *)&on,
					&length) &&
	    ((struct sockaddr_in *)&on)->sin_port)
		server->listener = evconnlistener_new_bind(
			base, accepted, server,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
				LEV_OPT_REUSEABLE,
			-1, (struct sockaddr *)&on, length);
	if (!server->listener) {
		fault(fault_out, "cannot listen on %s: %s", listen,
		      strerror(errno));
		fault_hint(fault_out, "another ADDRESS:PORT behind --listen, "
				      "or none");
		free(server);
		return NULL;
	}
	evconnlistener_set_error_cb(server->listener, not_accepted);
	return server;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->clients))
		client_free(TAILQ_FIRST(&server->clients));
	evconnlistener_free(server->listener);
	free(server);
}
