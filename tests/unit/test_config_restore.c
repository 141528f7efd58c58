// SPDX-License-Identifier: GPL-2.0-only
/*
 * The key `restore` of a backend: what is refused, what is noted, and what it
 * is by default.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/restore.h"
#include "tests/unit/config_text.h"
#include "tests/unit/refuse.h"

#define VIP "services:\n  - {vip: 192.0.2.1, port: 80, "
#define TC  "backends: [{address: 192.0.2.2, restore: tc}]}\n"

static const struct refused_text refused[] = {
	{VIP "backends: [{address: 192.0.2.2, restore: eth0}]}\n",
	 ":2: restore \"eth0\": must be lo or tc"},
	{"nat-source: [192.0.2.9]\n" VIP "forward: nat, " TC,
	 ":3: restore: tc of backend 192.0.2.2: not with forward: nat, whose "
	 "packets come to that address anyhow"},
	{VIP "protocol: udp, fragments: by-address, " TC,
	 ":2: restore: tc of backend 192.0.2.2: not with fragments: "
	 "by-address, because the port names the server"},
	{VIP "forward: l2, "
	     "backends: [{address: \"2001:db8::2\", restore: tc}]}\n",
	 ":2: restore: tc of backend 2001:db8::2: only at an address of the "
	 "VIP's family, where its server listens"},
};

REFUSES(refused)

static void is_of_a_backend(void **unused)
{
	struct config config;

	(void)unused;
	parse_text(VIP "backends: [{address: 192.0.2.2}, {address: 192.0.2.3, "
		       "restore: tc}, {address: 192.0.2.4, restore: lo}]}\n",
		   &config, NULL);
	assert_int_equal(config.services[0].backends[0].restore, RESTORE_LO);
	assert_int_equal(config.services[0].backends[1].restore, RESTORE_TC);
	assert_int_equal(config.services[0].backends[2].restore, RESTORE_LO);
	config_free(&config);
}

/* What is noted for such a file; to be freed. */
static char *noted(const char *text)
{
	struct config config;
	char *notes = NULL;
	size_t size;
	FILE *out = open_memstream(&notes, &size);

	assert_non_null(out);
	parse_text(text, &config, NULL);
	restore_notes(&config, out);
	fclose(out);
	config_free(&config);
	return notes;
}

/* With a method by which a packet says no more than the backend's address. */
static void notes_direct_connections(void **unused)
{
	char expected[512], *notes = noted(VIP TC);

	(void)unused;
	assert_string_equal(
		notes,
		with_methods(
			"f.yaml:2: note: restore: tc: nobody can connect to "
			"192.0.2.2:80 itself with forward: rewrite, because "
			"every packet there is taken for one to the VIP; use "
			"dscp or ipip or l2 for that\n",
			expected));
	free(notes);
	notes = noted(VIP "forward: dscp, dscp: 10, " TC);
	assert_string_equal(notes, "");
	free(notes);
	notes = noted(VIP "backends: [{address: 192.0.2.2}]}\n");
	assert_string_equal(notes, "");
	free(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_refused),
		cmocka_unit_test(is_of_a_backend),
		cmocka_unit_test(notes_direct_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
