// SPDX-License-Identifier: GPL-2.0-only
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem() */
#endif
#include "common/probe/answered.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool contains(const char *text, size_t length, const char *word)
{
	return !*word || memmem(text, length, word, strlen(word));
}

enum verdict udp_answered(const struct config_check *check, const char *text,
			  size_t length, char *why, size_t size)
{
	if (contains(text, length, check->body))
		return VERDICT_GOOD;
	snprintf(why, size, "another answer");
	return VERDICT_BAD;
}
