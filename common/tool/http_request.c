// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem() */
#endif
#include "common/tool/http_request.h"

#include <string.h>

static int refuse(struct request *request, int status)
{
	request->status = status;
	return 1;
}

/* Is it "METHOD "? Then what is behind it, else NULL. */
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

int http_request(const char *text, size_t length, struct request *request)
{
	const char *end;

	memset(request, 0, sizeof(*request));
	if (length > REQUEST_MOST)
		return refuse(request, 431);
	if (!memmem(text, length, "\r\n\r\n", 4)) {
		if (length == REQUEST_MOST)
			return refuse(request, 431);
		return 0;
	}
	end = memmem(text, length, "\r\n", 2);
	if (memchr(text, '\0', (size_t)(end - text)))
		return refuse(request, 400);
	return request_line(text, end, request);
}
