// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem() */
#endif
#include "common/serve/http_request.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static int refuse(struct request *request, int status)
{
	request->status = status;
	return 1;
}

/* If the text begins with "METHOD ", returns what follows, else NULL. */
static const char *behind(const char *text, const char *end, const char *method)
{
	size_t length = strlen(method);

	if ((size_t)(end - text) < length || memcmp(text, method, length))
		return NULL;
	return text + length;
}

/* "GET /metrics?x HTTP/1.1", up to `end`. */
static int request_line(const char *line, const char *end,
			struct request *request)
{
	const char *path = behind(line, end, "GET "), *path_end, *version;
	size_t length;

	if (!path) {
		path = behind(line, end, "HEAD ");
		request->head_only = path != NULL;
	}
	if (!path)
		return refuse(request, memchr(line, ' ', (size_t)(end - line))
					       ? 405
					       : 400);
	path_end = memchr(path, ' ', (size_t)(end - path));
	if (*path != '/' || !path_end)
		return refuse(request, 400);
	version = behind(path_end, end, " HTTP/1.");
	if (!version || end - version != 1 || *version < '0' || *version > '1')
		return refuse(request, 400);
	length = strcspn(path, " ?");
	if (length >= sizeof(request->path))
		return refuse(request, 404);
	memcpy(request->path, path, length);
	return refuse(request, 200);
}

/* The part of "name:80", "[::1]:80" or "::1" before the port. */
static int host_copy(const char *from, const char *end, char *host)
{
	const char *last, *colon;
	size_t length;

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	last = end;
	if (from < end && *from == '[') {
		from++;
		last = memchr(from, ']', (size_t)(end - from));
		if (!last)
			return -1;
	} else {
		colon = memchr(from, ':', (size_t)(end - from));
		if (colon)
			last = colon;
	}
	length = (size_t)(last - from);
	if (length >= HOST_MOST)
		return -1;
	memcpy(host, from, length);
	host[length] = '\0';
	return 0;
}

/* The value of `Host:`, from the lines up to the empty one. */
static int request_host(const char *line, const char *end, char *host)
{
	static const char name[] = "Host:";
	const char *next;
	int found = 0;

	for (; line < end; line = next + 2) {
		next = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
		if (!next)
			break;
		if ((size_t)(next - line) < sizeof(name) - 1 ||
		    strncasecmp(line, name, sizeof(name) - 1))
			continue;
		if (found++ || host_copy(line + sizeof(name) - 1, next, host))
			return -1;
	}
	return 0;
}

bool http_host_is_here(const char *host, const char *own)
{
	struct in6_addr address;

	return !*host || !strcasecmp(host, "localhost") ||
	       (*own && !strcasecmp(host, own)) ||
	       inet_pton(AF_INET, host, &address) == 1 ||
	       inet_pton(AF_INET6, host, &address) == 1;
}

int http_request(const char *text, size_t length, struct request *request)
{
	const char *end, *all;

	memset(request, 0, sizeof(*request));
	if (length > REQUEST_MOST)
		return refuse(request, 431);
	if (!memmem(text, length, "\r\n\r\n", 4)) {
		if (length == REQUEST_MOST)
			return refuse(request, 431);
		return 0;
	}
	all = memmem(text, length, "\r\n\r\n", 4);
	end = memmem(text, length, "\r\n", 2);
	if (memchr(text, '\0', (size_t)(end - text)) ||
	    (all > end && request_host(end + 2, all, request->host)))
		return refuse(request, 400);
	return request_line(text, end, request);
}
