/* SPDX-License-Identifier: GPL-2.0-only */
/* Read the text of a configuration file, which must be valid. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "tests/unit/unit.h"

#define SERVICE                                                                \
	"services:\n- vip: 192.0.2.1\n  port: 80\n  backends:\n"               \
	"  - address: 198.51.100.1\n"

static inline void parse_text(const char *text, struct config *config,
			      FILE *warnings)
{
	char why[512];

	if (config_parse("f.yaml", text, strlen(text), config, why, sizeof(why),
			 warnings))
		fail_msg("%s", why);
}
