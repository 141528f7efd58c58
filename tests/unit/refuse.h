/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of configuration files are refused, each with exactly this line. */
#pragma once

#include <string.h>

#include "common/config/config.h"
#include "tests/unit/method_lists.h"
#include "tests/unit/unit.h"

struct refused_text {
	const char *text;
	const char *why; /* after "f.yaml" */
};

static inline void refuse_text(const char *text, size_t length,
			       const char *expected)
{
	struct config config;
	char why[512] = "";

	if (!config_parse("f.yaml", text, length, &config, why, sizeof(why),
			  NULL))
		fail_msg("accepted: %s", text);
	assert_memory_equal(why, "f.yaml", 6);
	assert_string_equal(why + 6, expected);
	assert_null(config.services);
	assert_null(config.path);
}

static inline void refuse_all(const struct refused_text *rows, size_t count)
{
	char expected[512];

	for (size_t i = 0; i < count; i++)
		refuse_text(rows[i].text, strlen(rows[i].text),
			    with_methods(rows[i].why, expected));
}

#define REFUSES(table)                                                         \
	static void refuses_##table(void **state)                              \
	{                                                                      \
		(void)state;                                                   \
		refuse_all(table, sizeof(table) / sizeof(table[0]));           \
	}
