// SPDX-License-Identifier: GPL-2.0-only
/*
 * fuzz_http.c - what strangers send: a request to the status page, and a
 * server's answer to a health check
 *
 * Laws: what is understood of a request does not depend on the pieces in which
 * it comes, and its path is a string that begins with `/`. A verdict, once
 * there is one, stays whatever comes after it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/tool/answered.h"
#include "common/tool/http_request.h"

static void law(int holds)
{
	if (!holds)
		abort();
}

/* In a buffer of exactly its size. */
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

static enum verdict verdict_of(const struct config_check *check,
			       const uint8_t *data, size_t size, bool all)
{
	char *text = malloc(size), why[96] = "";
	enum verdict verdict;

	memcpy(text, data, size);
	verdict = http_answered(check, text, size, all, why, sizeof(why));
	free(text);
	law(memchr(why, '\0', sizeof(why)) != NULL);
	return verdict;
}

static void answer_law(const uint8_t *data, size_t size)
{
	struct config_check check = {.type = CHECK_HTTP};
	enum verdict before = VERDICT_OPEN, now;
	size_t length;

	if (size && data[0] & 1)
		strcpy(check.body, "a");
	for (length = 0; length <= size; length++) {
		now = verdict_of(&check, data, length, false);
		law(before == VERDICT_OPEN || now == before);
		before = now;
	}
	now = verdict_of(&check, data, size, true);
	law(now != VERDICT_OPEN);
	law(before == VERDICT_OPEN || now == before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	request_law(data, size);
	answer_law(data, size);
	return 0;
}
