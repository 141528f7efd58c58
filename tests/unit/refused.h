/* SPDX-License-Identifier: GPL-2.0-only */
/* Texts of configuration files, and the exact line that refuses each. */
#pragma once

#include <string.h>

#include "common/config/config.h"
#include "tests/unit/method_lists.h"
#include "tests/unit/unit.h"

struct row {
	const char *text;
	const char *why; /* after "f.yaml" */
};

#define VIP	 "services:\n- vip: 192.0.2.1\n"
#define HEAD	 VIP "  port: 80\n"
#define BACKENDS "  backends:\n  - address: 198.51.100.1\n"
#define SERVICE	 HEAD BACKENDS

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

static inline void refuse_all(const struct row *rows, size_t count)
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
