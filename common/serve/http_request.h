/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http_request.h - what a client of the status page asks for
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_MOST 4096 /* bytes, its headers included */
#define HOST_MOST    256

struct request {
	int status;    /* of the answer, as far as the request decides it */
	int head_only; /* HEAD */
	char path[32]; /* without what is behind a `?` */
	char host[HOST_MOST]; /* as `Host:` says, without a port; or empty */
};

/*
 * Reads the first `length` bytes that a client has sent. Returns 0 where there
 * is more to come, else 1, with `request` filled in.
 */
int http_request(const char *text, size_t length, struct request *request);

/*
 * Is `host` an address, localhost, or this host's name `own`? Any other name is
 * one that somebody else has made to point here, for a page of theirs to read
 * what this host tells (DNS rebinding). One that is empty is of no browser.
 */
bool http_host_is_here(const char *host, const char *own);
