/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http_request.h - what a client of the status page asks for
 */
#pragma once

#include <stddef.h>

#define REQUEST_MOST 4096 /* bytes, its headers included */

struct request {
	int status;    /* of the answer, as far as the request decides it */
	int head_only; /* HEAD */
	char path[32]; /* without what is behind a `?` */
};

/*
 * Reads the first `length` bytes that a client has sent. Returns 0 where there
 * is more to come, else 1, with `request` filled in.
 */
int http_request(const char *text, size_t length, struct request *request);
