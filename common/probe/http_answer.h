/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * http_answer.h - judge a server's answer to a GET, which comes in pieces
 *
 * According to RFC 9112: interim answers (1xx) are skipped, and the body ends
 * by its chunks, by Content-Length or with the connection. A server may be
 * hostile: nothing of the answer is kept but the current line, each byte is
 * looked at once, and after HTTP_MOST bytes none is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/probe/answered.h"

#define HTTP_MOST 65536 /* bytes of an answer that are looked at */

struct http_answer {
	const struct config_check *check; /* which status and body are good */
	enum verdict verdict;
	size_t read; /* bytes so far */
	__u8 at;     /* enum at: what the next byte belongs to */
	bool chunked, has_length, to_the_end;
	int status;	    /* 0: not read yet */
	__u64 left;	    /* bytes left of the body, or of its chunk */
	size_t line_length; /* of the line; may be more than is kept */
	char line[256];
	/*
	 * How much of check->body the last bytes of the body match; see Knuth,
	 * Morris, Pratt: Fast pattern matching in strings (1977).
	 */
	size_t matched;
	__u8 shorter[CHECK_TEXT];
};

/* `check` must outlive it. */
void http_answer_begin(struct http_answer *answer,
		       const struct config_check *check);
/*
 * Takes the next bytes. Returns the verdict as far as it is known; it never
 * changes again. If it is bad, `why` says why.
 */
enum verdict http_answer_read(struct http_answer *answer, const char *bytes,
			      size_t length, char *why, size_t size);
/* No more bytes will come. Never VERDICT_OPEN. */
enum verdict http_answer_end(struct http_answer *answer, char *why,
			     size_t size);
