// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_state.c - from what is wanted and what was found, to which flows each
 * backend gets, and to the words for it
 *
 * A case is a service's backends, a letter each. Found: '.' nothing, '+' up,
 * 'a' application down, 'p' path down; in capitals, or ':' and '*', it is to
 * drain. Gets: 'N' new flows, 'k' keeps its own, '-' none.
 */
#include <ctype.h>
#include <string.h>

#include "common/config/state.h"
#include "common/core/abi_services.h"
#include "tests/unit/unit.h"

#define MOST 8

static struct backend backend_from(char letter)
{
	static const char plain[] = ".+ap", drains[] = ":*AP";
	static const __u8 findings[] = {FINDING_NONE, FINDING_UP,
					FINDING_APPLICATION_DOWN,
					FINDING_PATH_DOWN};
	const char *at = strchr(plain, letter) ?: strchr(drains, letter);
	bool drain = !strchr(plain, letter);

	assert_non_null(at);
	return (struct backend){
		.finding = findings[at - (drain ? drains : plain)],
		.drain = drain,
	};
}

static const struct {
	enum on_down down;
	enum on_all_down all;
	const char *backends, *gets, *service;
	const char *words[MOST];
} rows[] = {
	{DOWN_KEEP, ALL_DOWN_ALL, ".+", "NN", "up", {"up", "up"}},
	{DOWN_KEEP, ALL_DOWN_ALL, "a+", "kN", "degraded", {"down", "up"}},
	{DOWN_MOVE, ALL_DOWN_ALL, "a+", "-N", "degraded", {"down", "up"}},
	{DOWN_KEEP, ALL_DOWN_ALL, "p+", "-N", "degraded", {"down", "up"}},
	{DOWN_MOVE, ALL_DOWN_ALL, "p.", "-N", "degraded", {"down", "up"}},
	/*
	 * All are down: those with a good path get new flows or, if there is
	 * none, all.
	 */
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "aap",
	 "NN-",
	 "down",
	 {"last resort", "last resort", "down"}},
	{DOWN_MOVE, ALL_DOWN_ALL, "ap", "N-", "down", {"last resort", "down"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "pp",
	 "NN",
	 "down",
	 {"last resort", "last resort"}},
	{DOWN_KEEP, ALL_DOWN_DROP, "ap", "k-", "down", {"down", "down"}},
	{DOWN_MOVE, ALL_DOWN_DROP, "aa", "--", "down", {"down", "down"}},
	{DOWN_KEEP, ALL_DOWN_PASS, "aa", "kk", "down", {"down", "down"}},
	/* A draining backend is neither down nor a last resort. */
	{DOWN_KEEP, ALL_DOWN_ALL, ":+", "kN", "up", {"draining", "up"}},
	{DOWN_KEEP, ALL_DOWN_ALL, "P+", "-N", "up", {"draining", "up"}},
	{DOWN_KEEP, ALL_DOWN_ALL, "A+", "kN", "up", {"draining", "up"}},
	{DOWN_MOVE, ALL_DOWN_ALL, "A+", "-N", "up", {"draining", "up"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "*:",
	 "kk",
	 "drained",
	 {"draining", "draining"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "*P",
	 "k-",
	 "drained",
	 {"draining", "draining"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "*p",
	 "kN",
	 "down",
	 {"draining", "last resort"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "Ap",
	 "kN",
	 "down",
	 {"draining", "last resort"}},
	{DOWN_KEEP, ALL_DOWN_DROP, "*p", "k-", "down", {"draining", "down"}},
	{DOWN_KEEP,
	 ALL_DOWN_ALL,
	 "*a+",
	 "kkN",
	 "degraded",
	 {"draining", "down", "up"}},
};

static void each_gets_its_flows_and_its_word(void **state)
{
	static const char letters[] = {
		[BACKEND_ACTIVE] = 'N',
		[BACKEND_DRAINING] = 'k',
		[BACKEND_DOWN] = '-',
	};
	/* Out of order, as indices may be. */
	static const __u16 indices[MOST] = {5, 2, 7, 0};
	struct backend backends[MOST];
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config_service service = {
			.on_down = (__u8)rows[i].down,
			.on_all_down = (__u8)rows[i].all,
			.backend_count = strlen(rows[i].backends),
		};
		struct service_tally tally = {0};
		char gets[MOST + 1] = "";

		memset(backends, 0, sizeof(backends));
		for (j = 0; j < service.backend_count; j++)
			backends[indices[j]] =
				backend_from(rows[i].backends[j]);
		states_set(&service, indices, backends);
		for (j = 0; j < service.backend_count; j++) {
			const struct backend *backend = &backends[indices[j]];

			gets[j] = letters[backend->state];
			service_add(&tally, backend);
			assert_string_equal(
				status_name(backend_status(backend)),
				rows[i].words[j]);
		}
		if (strcmp(gets, rows[i].gets) ||
		    strcmp(service_status_name(service_status(&tally)),
			   rows[i].service))
			fail_msg("%s: %s, %s", rows[i].backends, gets,
				 service_status_name(service_status(&tally)));
	}
}

/* A backend that leaves the file is neither down nor counted as one. */
static void removing_is_not_down(void **state)
{
	struct backend removing = {.state = BACKEND_REMOVING,
				   .finding = FINDING_PATH_DOWN};
	struct backend up = {.state = BACKEND_ACTIVE};
	struct service_tally tally = {0};

	(void)state;
	assert_string_equal(status_name(backend_status(&removing)), "removing");
	service_add(&tally, &removing);
	assert_int_equal(service_status(&tally), SERVICE_DRAINED);
	service_add(&tally, &up);
	assert_int_equal(service_status(&tally), SERVICE_UP);
}

static void flows_are_said(void **state)
{
	static const struct {
		char found;
		__u8 state;
		const char *text;
	} cases[] = {
		{'+', BACKEND_ACTIVE, "up"},
		{'a', BACKEND_DRAINING, "down, keeps its flows"},
		{'a', BACKEND_DOWN, "down, its flows move"},
		{'p', BACKEND_DOWN, "down, its flows move"},
		{'p', BACKEND_ACTIVE, "last resort"},
		{'*', BACKEND_DRAINING, "draining"},
		{'P', BACKEND_DOWN, "draining and down, its flows move"},
	};
	char text[48];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backend backend = backend_from(cases[i].found);

		backend.state = cases[i].state;
		assert_string_equal(status_flows(&backend, text),
				    cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_its_flows_and_its_word),
		cmocka_unit_test(removing_is_not_down),
		cmocka_unit_test(flows_are_said),
	};

	return RUN("state", tests);
}
