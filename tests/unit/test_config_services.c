// SPDX-License-Identifier: GPL-2.0-only
/* test_config_services.c - services of a file beside each other, and backends
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/transition.h"
#include "common/core/abi_services.h"
#include "tests/unit/config_text.h"
#include "tests/unit/unit.h"

/* Two ways to write one thing mean the same and are kept as the same. */
static void settles_states(void **state)
{
	struct config word, flag;
	size_t i;

	(void)state;
	parse_text("services:\n"
		   "- {vip: 192.0.2.1, port: 1, backends: [\n"
		   "   {address: 198.51.100.1, state: draining},\n"
		   "   {address: 198.51.100.2, state: filling},\n"
		   "   {address: 198.51.100.3, weight: 2, weight-before: 2},\n"
		   "   {address: 198.51.100.4, weight: 2, weight-before: 5},\n"
		   "   {address: 198.51.100.5, state: active}]}\n",
		   &word, NULL);
	parse_text("services:\n"
		   "- {vip: 192.0.2.1, port: 1, backends: [\n"
		   "   {address: 198.51.100.1, drain: true},\n"
		   "   {address: 198.51.100.2, state: filling},\n"
		   "   {address: 198.51.100.3, weight: 2},\n"
		   "   {address: 198.51.100.4, weight: 2, weight-before: 5},\n"
		   "   {address: 198.51.100.5}]}\n",
		   &flag, NULL);
	assert_true(word.services[0].backends[0].drain);
	assert_int_equal(word.services[0].backends[1].state, STATE_FILLING);
	assert_int_equal(word.services[0].backends[3].weight_before, 5);
	assert_memory_equal(word.digest, flag.digest, sizeof(word.digest));
	for (i = 0; i < 5; i++)
		assert_memory_equal(&word.services[0].backends[i],
				    &flag.services[0].backends[i],
				    sizeof(struct config_backend));
	config_free(&word);
	config_free(&flag);
}

/* `was` says what differs from today's table; the rest means nothing. */
static void settles_tables(void **state)
{
	static const struct {
		const char *keys;
		__u32 size;
		__u8 scheduler;
		bool changes;
	} cases[] = {
		{"", 65537, SCHEDULER_MAGLEV, false},
		{"was: {}, ", 65537, SCHEDULER_MAGLEV, false},
		{"was: {table-size: 65537, scheduler: maglev}, ", 65537,
		 SCHEDULER_MAGLEV, false},
		{"was: {table-size: 251}, ", 251, SCHEDULER_MAGLEV, true},
		{"was: {scheduler: source-hash}, ", 65537,
		 SCHEDULER_SOURCE_HASH, true},
		{"scheduler: source-hash, was: {scheduler: maglev}, ", 65537,
		 SCHEDULER_MAGLEV, true},
		{"table-size: 251, was: {table-size: 1021, scheduler: "
		 "source-hash}, ",
		 1021, SCHEDULER_SOURCE_HASH, true},
		/* It cannot have second chance, and nothing changes. */
		{"protocol: udp, was: {table-size: 65537}, ", 65537,
		 SCHEDULER_MAGLEV, false},
	};
	struct config config;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct config_service *service;

		snprintf(text, sizeof(text),
			 "services:\n- {vip: 192.0.2.1, port: 1, %sbackends: "
			 "[{address: 198.51.100.1}]}\n",
			 cases[i].keys);
		parse_text(text, &config, NULL);
		service = &config.services[0];
		assert_int_equal(size_before(service), cases[i].size);
		assert_int_equal(scheduler_before(service), cases[i].scheduler);
		assert_int_equal(table_changes(service), cases[i].changes);
		assert_int_equal(has_second_chance(service), cases[i].changes);
		config_free(&config);
	}
}

/* Standing deputies: also where nothing is in transition. */
static void has_deputies(void **state)
{
	struct config config;

	(void)state;
	parse_text("services:\n"
		   "- {vip: 192.0.2.1, port: 1, second-chance: always,\n"
		   "   backends: [{address: 198.51.100.1}]}\n",
		   &config, NULL);
	assert_true(has_second_chance(&config.services[0]));
	assert_false(is_in_transition(&config.services[0]));
	config_free(&config);
}

/* Where states mean nothing but who gets new flows, any number may have one. */
static void many_without_second_chance(void **state)
{
	static const char *const keys[] = {"protocol: udp", "scheduler: random",
					   "scheduler: round-robin"};
	struct config config;
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text),
			 "services:\n- {vip: 192.0.2.1, port: 1, %s, "
			 "backends: [\n"
			 "   {address: 198.51.100.1, state: filling},\n"
			 "   {address: 198.51.100.2, state: filling},\n"
			 "   {address: 198.51.100.3, weight-before: 2},\n"
			 "   {address: 198.51.100.4, drain: true}]}\n",
			 keys[i]);
		parse_text(text, &config, NULL);
		assert_false(has_second_chance(&config.services[0]));
		config_free(&config);
	}
}

/* Any number of backends may drain. */
static void many_may_drain(void **state)
{
	struct config config;

	(void)state;
	parse_text("services:\n"
		   "- {vip: 192.0.2.1, port: 1, backends: [\n"
		   "   {address: 198.51.100.1, drain: true},\n"
		   "   {address: 198.51.100.2, drain: true},\n"
		   "   {address: 198.51.100.3, drain: true},\n"
		   "   {address: 198.51.100.4, drain: true},\n"
		   "   {address: 198.51.100.5}]}\n",
		   &config, NULL);
	assert_int_equal(config.services[0].backend_count, 5);
	config_free(&config);
}

/* Pairs of services that look like a conflict and are none. */
static void tells_services_apart(void **state)
{
	static const char *const texts[] = {
		/* The ports differ. */
		SERVICE "- {vip: 192.0.2.2, port: 81, backends: "
			"[{address: 198.51.100.1}]}\n",
		/* The protocols differ. */
		SERVICE "- {vip: 192.0.2.2, port: 80, protocol: udp, "
			"backends: [{address: 198.51.100.1}]}\n",
		SERVICE "- {vip: 192.0.2.1, port: any, protocol: udp, "
			"backends: [{address: 198.51.100.1}]}\n",
		/* The backends' addresses differ. */
		SERVICE "- {vip: 192.0.2.2, port: 80, backends: "
			"[{address: 198.51.100.2}]}\n",
		SERVICE "- {vip: 192.0.2.1, port: any, backends: "
			"[{address: 198.51.100.2}]}\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct config config;

		parse_text(texts[i], &config, NULL);
		assert_int_equal(config.service_count, 2);
		config_free(&config);
	}
}

static void assert_warning(const char *text, const char *expected)
{
	struct config config;
	char *warnings = NULL;
	size_t size;
	FILE *out = open_memstream(&warnings, &size);

	assert_non_null(out);
	parse_text(text, &config, out);
	fclose(out);
	assert_string_equal(warnings, expected);
	free(warnings);
	config_free(&config);
}

#define SMALL                                                                  \
	"services:\n- {vip: 192.0.2.1, port: 80, table-size: 251, backends: ["

static void warns(void **state)
{
	(void)state;
	assert_warning(SERVICE, "");
	assert_warning(SERVICE "    drain: true\n",
		       "f.yaml:2: warning: every backend of tcp 192.0.2.1 "
		       "port 80 is draining; it takes no new flows\n");
	assert_warning("grace: 0s\ndrain-timeout: 24h\n" SERVICE, "");
	assert_warning(SMALL "{address: 198.51.100.1}, "
			     "{address: 198.51.100.2}]}\n",
		       "");
	assert_warning(SMALL "{address: 198.51.100.1}, "
			     "{address: 198.51.100.2}, "
			     "{address: 198.51.100.3, drain: true}]}\n",
		       "");
	assert_warning(SMALL "{address: 198.51.100.1}, "
			     "{address: 198.51.100.2}, "
			     "{address: 198.51.100.3}]}\n",
		       "f.yaml:2: warning: tcp 192.0.2.1 port 80 has 83 slots "
		       "for each of its 3 backends, whose shares become uneven "
		       "below 100; table-size should be 307\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settles_states),
		cmocka_unit_test(many_may_drain),
		cmocka_unit_test(settles_tables),
		cmocka_unit_test(has_deputies),
		cmocka_unit_test(many_without_second_chance),
		cmocka_unit_test(tells_services_apart),
		cmocka_unit_test(warns),
	};

	return RUN("config services", tests);
}
