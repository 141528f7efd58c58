// SPDX-License-Identifier: GPL-2.0-only
/*
 * How two files differ, key by key.
 */
#include "common/config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/write.h"
#include "tests/unit/unit.h"

#define SERVICE(more)                                                          \
	"services:\n"                                                          \
	"  - {vip: 192.0.2.1, port: 80, protocol: tcp, " more                  \
	"backends: [{address: 192.0.2.9}]}\n"
#define OTHER                                                                  \
	"  - {vip: 192.0.2.1, port: 443, protocol: tcp, "                      \
	"backends: [{address: 192.0.2.9}]}\n"

static const struct {
	const char *old, *new, *lines;
} cases[] = {
	{SERVICE(""), SERVICE(""), ""},
	/* On another line, in another order: no difference. */
	{SERVICE("check: {type: http}, ") OTHER,
	 "\n\n" SERVICE("check: {type: http}, ") OTHER, ""},
	{SERVICE(""), SERVICE("check: {type: http}, "),
	 "~ check of 192.0.2.1:80/tcp none -> {type: http}\n"},
	{SERVICE("check: {type: http}, "),
	 SERVICE("check: {type: http, fall: 7}, "),
	 "~ check of 192.0.2.1:80/tcp {type: http} -> {type: http, fall: 7}\n"},
	{SERVICE(""), SERVICE("was: {table-size: 251}, "),
	 "~ was of 192.0.2.1:80/tcp none -> {table-size: 251}\n"},
	{SERVICE("") "drain-timeout: 10s\n", SERVICE("") "drain-timeout: 20s\n",
	 "~ drain-timeout 10s -> 20s\n"},
	{SERVICE(""), SERVICE("") "lb-sources: [192.0.2.0/24]\n",
	 "~ lb-sources none -> [192.0.2.0/24]\n"},
	/*
	 * Differences that other lines report; and services that only one file
	 * has.
	 */
	{SERVICE("") "udp-idle: 10s\n", SERVICE("") "udp-idle: 20s\n", ""},
	{SERVICE(""), SERVICE("") OTHER, ""},
	{SERVICE("") OTHER, SERVICE("on-all-down: drop, "),
	 "~ on-all-down of 192.0.2.1:80/tcp all -> drop\n"},
};

static void read(const char *text, struct config *config)
{
	char why[512];

	if (config_parse("file", text, strlen(text), config, why, sizeof(why),
			 NULL))
		fail_msg("%s", why);
}

static void differences(void **state)
{
	static const char *const told[] = {"udp-idle", NULL};
	struct config old, new;
	char *lines = NULL, *c;
	int count, want;
	size_t size, i;
	FILE *out;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		read(cases[i].old, &old);
		read(cases[i].new, &new);
		out = open_memstream(&lines, &size);
		count = config_diff(&old, &new, told, out);
		fclose(out);
		assert_string_equal(lines, cases[i].lines);
		for (want = 0, c = lines; *c; c++)
			want += *c == '\n';
		assert_int_equal(count, want);
		free(lines);
		config_free(&old);
		config_free(&new);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(differences),
	};

	return RUN("difference", tests);
}
