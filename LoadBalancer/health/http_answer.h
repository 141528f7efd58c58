/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http_answer.h - a server's answer to a GET, judged as it comes in pieces
 *
 * As RFC 9112 has it: interim answers (1xx) are skipped, and the body ends by
 * its chunks, by Content-Length or with the connection. A server may be
 * hostile: nothing of the answer is kept but the line that is being read, each
 * byte is looked at once, and behind HTTP_MOST bytes none is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "LoadBalancer/health/answered.h"

#define HTTP_MOST 65536 /* bytes of an answer that are looked at */

struct http_answer {
	const struct config_check *check; /* status and body that are good */
	enum verdict verdict;
	size_t read; /* bytes so far */
	__u8 at;     /* enum at: what the next byte is of */
	bool chunked, has_length, to_the_end;
	int status;	    /* 0: not read yet */
	__u64 left;	    /* bytes of the body, or of its chunk */
	size_t line_length; /* may be more than is kept of it */
	char line[256];
	/* How much of check->body the body's last bytes are; see Knuth, Morris,
	 * Pratt: Fast pattern matching in strings (1977). */
	size_t matched;
	__u8 shorter[CHECK_TEXT];
};

/* `check` must outlive it. */
void http_answer_begin(struct http_answer *answer,
		       const struct config_check *check);
/*
 * The next bytes. The verdict, as far as it is known; it never changes. Where
 * it is bad, `why` says why.
 */
enum verdict http_answer_read(struct http_answer *answer, const char *bytes,
			      size_t length, char *why, size_t size);
/* There are no more. Not VERDICT_OPEN. */
enum verdict http_answer_end(struct http_answer *answer, char *why,
			     size_t size);
