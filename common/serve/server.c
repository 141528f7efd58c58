// SPDX-License-Identifier: GPL-2.0-only
#include "common/serve/server.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/serve/http_request.h"

#define CLIENTS_MOST 64

/*
 * Descriptors of `run`; and bytes written to one client before the next one's
 * turn.
 */
#define DOCUMENTS_MOST 8
#define TURN	       (64 * 1024)

/* For a request, and again for its answer. */
static const struct timeval patience = {5, 0};

struct client {
	TAILQ_ENTRY(client) others;
	struct server *server;
	struct bufferevent *stream;
	struct event *late;
	/* Which build it waits for; NULL: for none. */
	struct document *document;
	unsigned long build;
	int head_only;
};

TAILQ_HEAD(clients, client);

struct server {
	struct event_base *base;
	struct evconnlistener *listener;
	void *data;
	struct document *documents[DOCUMENTS_MOST];
	int document_count;
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
	case 421:
		return "Misdirected Request";
	case 431:
		return "Request Header Fields Too Large";
	default:
		return "Service Unavailable";
	}
}

static bool host_is_here(const char *host)
{
	char own[HOST_MOST] = "";

	gethostname(own, sizeof(own) - 1);
	return http_host_is_here(host, own);
}

/* NULL: there is none of this path. */
static struct document *document_find(const struct server *server,
				      const char *path)
{
	int i;

	for (i = 0; i < server->document_count; i++) {
		if (!strcmp(document_of(server->documents[i])->path, path))
			return server->documents[i];
	}
	return NULL;
}

/* Sends `body`, which is emptied; a client that asked with HEAD gets none. */
static void answer(struct client *client, int status, const char *type,
		   struct evbuffer *body)
{
	struct evbuffer *out = bufferevent_get_output(client->stream);

	client->document = NULL;
	event_add(client->late, &patience);
	bufferevent_setcb(client->stream, NULL, written, happened, client);
	if (status != 200) {
		type = "text/plain; charset=utf-8";
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
		status, status_text(status), type, evbuffer_get_length(body),
		status == 405 ? "Allow: GET, HEAD\r\n" : "");
	if (!client->head_only)
		evbuffer_add_buffer(out, body);
}

static void answer_status(struct client *client, int status)
{
	struct evbuffer *body = evbuffer_new();

	if (body)
		answer(client, status, NULL, body);
	else
		client_free(client);
	if (body)
		evbuffer_free(body);
}

static void answer_built(struct client *client)
{
	const struct document_at *at = document_of(client->document);
	struct evbuffer *body = evbuffer_new();

	if (!body || document_add(client->document, body))
		answer_status(client, 503);
	else
		answer(client, 200, at->type, body);
	if (body)
		evbuffer_free(body);
}

/* Answers all who wait for this build, or tells them that it failed. */
static void built(struct document *document, void *data)
{
	struct server *server = data;
	struct client *client, *next;

	for (client = TAILQ_FIRST(&server->clients); client; client = next) {
		next = TAILQ_NEXT(client, others);
		if (client->document == document &&
		    client->build <= document_built(document))
			answer_built(client);
	}
}

static void answer_constant(struct client *client, const struct document_at *at)
{
	struct evbuffer *body = evbuffer_new();

	if (!body || at->write(client->server->data, body))
		answer_status(client, 503);
	else
		answer(client, 200, at->type, body);
	if (body)
		evbuffer_free(body);
}

static void readable(struct bufferevent *stream, void *data)
{
	struct client *client = data;
	struct evbuffer *input = bufferevent_get_input(stream);
	struct document *document;
	struct request request;
	int status;

	if (!http_request((char *)evbuffer_pullup(input, -1),
			  evbuffer_get_length(input), &request))
		return;
	bufferevent_disable(stream, EV_READ);
	bufferevent_setcb(stream, NULL, NULL, happened, client);
	event_del(client->late); /* we build, so the client is not late */
	client->head_only = request.head_only;
	document = document_find(client->server, request.path);
	status = request.status;
	if (status == 200 && !host_is_here(request.host))
		status = 421;
	else if (status == 200 && !document)
		status = 404;
	if (status != 200) {
		answer_status(client, status);
	} else if (document_of(document)->is_constant) {
		answer_constant(client, document_of(document));
	} else {
		client->document = document;
		client->build = document_ask(document);
	}
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
	if (!client->late ||
	    event_priority_set(client->late, SERVER_PRIORITY) ||
	    bufferevent_priority_set(client->stream, SERVER_PRIORITY) ||
	    bufferevent_set_max_single_write(client->stream, TURN) ||
	    event_add(client->late, &patience)) {
		client_free(client);
		return;
	}
	bufferevent_setwatermark(client->stream, EV_READ, 0, REQUEST_MOST);
	bufferevent_setcb(client->stream, readable, NULL, happened, client);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
	if (server->count > CLIENTS_MOST)
		client_free(TAILQ_FIRST(&server->clients));
}

/* Out of descriptors: the kernel would call again at once. */
static void not_accepted(struct evconnlistener *listener, void *data)
{
	struct server *server = data;

	(void)listener;
	if (server->count)
		client_free(TAILQ_FIRST(&server->clients));
}

static int documents_make(struct server *server,
			  const struct document_at *documents)
{
	struct document *document;

	for (; documents->path; documents++) {
		document = server->document_count == DOCUMENTS_MOST
				   ? NULL
				   : document_new(server->base, SERVER_PRIORITY,
						  documents, server->data,
						  built, server);
		if (!document)
			return -1;
		server->documents[server->document_count++] = document;
	}
	return 0;
}

static bool where_parse(const char *where, struct sockaddr_storage *on,
			int *length)
{
	*length = sizeof(*on);
	memset(on, 0, sizeof(*on));
	return !evutil_parse_sockaddr_port(where, (struct sockaddr *)on,
					   length) &&
	       ((struct sockaddr_in *)on)->sin_port;
}

static void not_heard(const char *where, int error, struct fault *fault_out)
{
	fault(fault_out, "cannot listen on %s: %s", where, strerror(error));
	fault_hint(fault_out, "another ADDRESS:PORT after --listen, or none");
}

bool server_can_be(const char *where, struct fault *fault_out)
{
	struct sockaddr_storage on;
	int length;

	if (where_parse(where, &on, &length))
		return true;
	not_heard(where, EINVAL, fault_out);
	return false;
}

/* Returns 0, or -1 with errno. */
static int listen_on(struct server *server, const char *where)
{
	struct sockaddr_storage on;
	int length;

	errno = EINVAL;
	if (where_parse(where, &on, &length))
		server->listener = evconnlistener_new_bind(
			server->base, accepted, server,
			LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC |
				LEV_OPT_REUSEABLE,
			-1, (struct sockaddr *)&on, length);
	if (!server->listener)
		return -1;
	evconnlistener_set_error_cb(server->listener, not_accepted);
	return 0;
}

struct server *server_start(struct event_base *base, const char *where,
			    const struct document_at *documents, void *data,
			    struct fault *fault_out)
{
	struct server *server = calloc(1, sizeof(*server));

	if (!server) {
		fault(fault_out, "cannot listen: no memory");
		return NULL;
	}
	server->base = base;
	server->data = data;
	TAILQ_INIT(&server->clients);
	errno = ENOMEM;
	if (!documents_make(server, documents) && !listen_on(server, where))
		return server;
	not_heard(where, errno, fault_out);
	server_stop(server);
	return NULL;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	while (!TAILQ_EMPTY(&server->clients))
		client_free(TAILQ_FIRST(&server->clients));
	if (server->listener)
		evconnlistener_free(server->listener);
	while (server->document_count)
		document_free(server->documents[--server->document_count]);
	free(server);
}
