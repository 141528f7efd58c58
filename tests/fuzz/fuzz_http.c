// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_http.c - what strangers send: a request to the status page, and a
 * server's answer to a health check
 *
 * Laws: what is understood of a request does not depend on the pieces in which
 * it comes, and its path is a string that begins with `/`. Nor does the verdict
 * on an answer; once there is one, it stays whatever comes after it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/probe/http_answer.h"
#include "common/serve/http_request.h"

static void law(int holds)
{
	if (!holds)
		abort();
}

/* Read from a buffer of exactly the input's size. */
static int request_of(const uint8_t *data, size_t size, struct request *request)
{
	char *text = malloc(size);
	int rc;

	memcpy(text, data, size);
	rc = http_request(text, size, request);
	free(text);
	return rc;
}

static void request_law(const uint8_t *data, size_t size)
{
	struct request whole, part;
	size_t length;

	if (!request_of(data, size, &whole)) {
		law(size < REQUEST_MOST);
		return;
	}
	law(whole.status == 200 || whole.status == 400 || whole.status == 404 ||
	    whole.status == 405 || whole.status == 431);
	law(memchr(whole.path, '\0', sizeof(whole.path)) != NULL);
	law(whole.status != 200 || *whole.path == '/');
	for (length = 0; length < size; length++) {
		if (!request_of(data, length, &part))
			continue;
		law(!memcmp(&part, &whole, sizeof(part)) ||
		    whole.status == 431);
		break;
	}
}

/* The verdict on an answer that comes in pieces of `piece` bytes. */
static enum verdict verdict_of(const struct config_check *check,
			       const uint8_t *data, size_t size, size_t piece)
{
	enum verdict before = VERDICT_OPEN, now;
	struct http_answer answer;
	char *text, why[96] = "";
	size_t at, length;

	http_answer_begin(&answer, check);
	for (at = 0; at < size; at += length) {
		length = size - at < piece ? size - at : piece;
		text = malloc(length);
		memcpy(text, data + at, length);
		now = http_answer_read(&answer, text, length, why, sizeof(why));
		free(text);
		law(before == VERDICT_OPEN || now == before);
		before = now;
	}
	now = http_answer_end(&answer, why, sizeof(why));
	law(now != VERDICT_OPEN);
	law(before == VERDICT_OPEN || now == before);
	law(memchr(why, '\0', sizeof(why)) != NULL);
	law(now == VERDICT_GOOD || *why);
	return now;
}

static void answer_law(const uint8_t *data, size_t size)
{
	struct config_check check = {.type = CHECK_HTTP};
	enum verdict whole;
	size_t piece;

	if (size && data[0] & 1)
		strcpy(check.body, "aab");
	whole = verdict_of(&check, data, size, size);
	for (piece = 1; piece < size && piece < 64; piece *= 2)
		law(verdict_of(&check, data, size, piece) == whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request_law(data, size);
	answer_law(data, size);
	return 0;
}
