/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * answered.h - is a server's answer good?
 */
#pragma once

#include <stddef.h>

#include "common/config/config.h"

enum verdict {
	VERDICT_OPEN, /* not complete yet: may be good or bad */
	VERDICT_GOOD,
	VERDICT_BAD,
};

/* The same for a datagram. If it is bad, `why` says why. */
enum verdict udp_answered(const struct config_check *check, const char *text,
			  size_t length, char *why, size_t size);
