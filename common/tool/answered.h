/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answered.h - is what a server answered good?
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/tool/config.h"

#define HTTP_MOST 65536 /* bytes of an answer that are looked at */

enum verdict {
	VERDICT_OPEN, /* as far as it has come, it may be either */
	VERDICT_GOOD,
	VERDICT_BAD,
};

/*
 * Of the first `length` bytes of an answer; `all`: there are no more. Where it
 * is bad, `why` says why.
 */
enum verdict http_answered(const struct config_check *check, const char *text,
			   size_t length, bool all, char *why, size_t size);
enum verdict udp_answered(const struct config_check *check, const char *text,
			  size_t length, char *why, size_t size);
