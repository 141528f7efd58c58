// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem() */
#endif
#include "common/tool/answered.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool contains(const char *text, size_t length, const char *word)
{
	return !*word || memmem(text, length, word, strlen(word));
}

/* Of "HTTP/1.1 200 OK"; 0: it is too short to tell, -1: it is none. */
static int status_of(const char *text, size_t length)
{
	static const char head[] = "HTTP/1.";
	size_t known = sizeof(head) - 1;
	int status = 0;
	size_t i;

	if (memcmp(text, head, length < known ? length : known))
		return -1;
	/* The minor version, a blank, three digits, and what ends them. */
	if (length < known + 6)
		return 0;
	for (i = known + 2; i < known + 5; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		status = status * 10 + text[i] - '0';
	}
	return text[known + 1] == ' ' && status >= 100 ? status : -1;
}

static bool status_is_good(const struct config_check *check, int status)
{
	return check->status ? status == check->status
			     : status >= 200 && status < 400;
}

enum verdict http_answered(const struct config_check *check, const char *text,
			   size_t length, bool all, char *why, size_t size)
{
	int status = status_of(text, length);
	const char *body;

	all |= length >= HTTP_MOST;
	if (status < 0 || (!status && all)) {
		snprintf(why, size, "%s",
			 length ? "no HTTP" : "closed without an answer");
		return VERDICT_BAD;
	}
	if (!status)
		return VERDICT_OPEN;
	if (!status_is_good(check, status)) {
		snprintf(why, size, "status %d", status);
		return VERDICT_BAD;
	}
	if (!*check->body)
		return VERDICT_GOOD;
	body = memmem(text, length, "\r\n\r\n", 4);
	if (body &&
	    contains(body + 4, length - (size_t)(body + 4 - text), check->body))
		return VERDICT_GOOD;
	if (!all)
		return VERDICT_OPEN;
	snprintf(why, size, "status %d, another body", status);
	return VERDICT_BAD;
}

enum verdict udp_answered(const struct config_check *check, const char *text,
			  size_t length, char *why, size_t size)
{
	if (contains(text, length, check->body))
		return VERDICT_GOOD;
	snprintf(why, size, "another answer");
	return VERDICT_BAD;
}
