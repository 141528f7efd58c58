/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http_request.h - parse what a client of the status page asks for
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MOST 4096 /* bytes, its headers included */
#define HOST_MOST    256

struct request {
	int status;    /* of the answer, as far as the request decides it */
	int head_only; /* HEAD */
	char path[32]; /* without a query (`?`) */
	char host[HOST_MOST]; /* what `Host:` says, without a port; or empty */
};

/*
 * Reads the first `length` bytes from a client. Returns 0 if more must come,
 * else 1 with `request` filled in.
 */
int http_request(const char *text, size_t length, struct request *request);

/*
 * Is `host` an address, localhost, or this host's name `own`? Somebody else may
 * have pointed any other name here, so that a page of theirs can read what this
 * host serves (DNS rebinding). An empty one comes from no browser.
 */
bool http_host_is_here(const char *host, const char *own);
