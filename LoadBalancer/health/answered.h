/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answered.h - is what a server answered good?
 */
#pragma once

#include <stddef.h>

#include "common/config/config.h"

enum verdict {
	VERDICT_OPEN, /* as far as it has come, it may be either */
	VERDICT_GOOD,
	VERDICT_BAD,
};

/* Of a datagram. Where it is bad, `why` says why. */
enum verdict udp_answered(const struct config_check *check, const char *text,
			  size_t length, char *why, size_t size);
