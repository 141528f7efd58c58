// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_announce.c - when a service is fit, and the keys that say so
 *
 * A case is a service's backends, a letter each: '.' not checked yet, '+' up,
 * 'a' application down, 'p' path down, 'd' drains, 'r' was removed.
 */
#include "common/config/announce.h"

#include <string.h>

#include "common/core/abi_services.h"
#include "tests/unit/config_text.h"
#include "tests/unit/unit.h"

static struct backend backend_from(char letter)
{
	return (struct backend){
		.finding = letter == '.'   ? FINDING_NONE
			   : letter == 'a' ? FINDING_APPLICATION_DOWN
			   : letter == 'p' ? FINDING_PATH_DOWN
					   : FINDING_UP,
		.drain = letter == 'd',
		.state = letter == 'r' ? BACKEND_REMOVING : BACKEND_ACTIVE,
	};
}

#define P(share) (SHARE_PERCENT | (share))

static const struct {
	__u32 minimum_up;
	const char *backends;
	bool checked, fit;
} rows[] = {
	{1, "+", true, true},
	{1, "aap+", true, true},
	{1, "aap", true, false},
	{2, "a+p", true, false},
	{2, "a++", true, true},
	{3, "+++", true, true},
	/* What drains or was removed is not up, however well it is. */
	{2, "+dd", true, false},
	{2, "++d", true, true},
	{1, "ddd", true, false},
	{1, "rr", true, false},
	{1, "r+", true, true},
	{1, "", true, false},
	/* Percentages are of those that are to serve, and rounded up. */
	{P(50), "++aa", true, true},
	{P(50), "+aa", true, false},
	{P(50), "++a", true, true},
	{P(50), "+ddd", true, true},
	{P(51), "+a", true, false},
	{P(100), "+++", true, true},
	{P(100), "++a", true, false},
	{P(100), "++d", true, true},
	{P(1), "++++", true, true},
	{P(1), "aaap", true, false},
	{P(1), "dd", true, false},
	{P(34), "+aa", true, false},
	{P(33), "+aa", true, true},
	/* Before the first verdict none is up; without checks all are. */
	{1, "...", true, false},
	{1, "..d", true, false},
	{1, "..+", true, true},
	{2, "..+", true, false},
	{2, ".++", true, true},
	{P(50), "..++", true, true},
	{P(51), "..++", true, false},
	{1, "...", false, true},
	{1, "ddd", false, false},
	{2, ".", false, false},
};

static void is_fit(void **state)
{
	struct config_service service;
	struct service_tally tally;
	struct backend backend;
	const char *letter;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&service, 0, sizeof(service));
		memset(&tally, 0, sizeof(tally));
		service.minimum_up = rows[i].minimum_up;
		service.check.type = rows[i].checked ? CHECK_TCP : CHECK_NONE;
		for (letter = rows[i].backends; *letter; letter++) {
			backend = backend_from(*letter);
			service_add(&tally, &backend);
		}
		if (service_is_fit(&service, &tally) != rows[i].fit)
			fail_msg("%u: %s", rows[i].minimum_up & 0xff,
				 rows[i].backends);
	}
}

/* As many as a percentage says, and not one less. */
static void rounds_up(void **state)
{
	struct config_service service = {0};
	size_t all, needs;
	__u32 share;

	(void)state;
	for (share = 1; share <= 100; share++) {
		service.minimum_up = P(share);
		for (all = 1; all < 300; all++) {
			needs = service_needs(&service, all);
			assert_true(needs * 100 >= all * share);
			assert_true(needs == 1 ||
				    (needs - 1) * 100 < all * share);
			assert_in_range(needs, 1, all);
		}
	}
}

/* A missing file counts as 0 for keepalived. */
static void is_in_order(void **state)
{
	(void)state;
	assert_true(announced_priority(ANNOUNCED_FIT) >
		    announced_priority(ANNOUNCED_UNFIT));
	assert_true(announced_priority(ANNOUNCED_UNFIT) > 0);
	assert_int_equal(announced_priority(ANNOUNCED_NOT), -254);
}

static void reads_keys(void **state)
{
	struct config config;

	(void)state;
	parse_text("announce: {table: 107, hook: /bin/true}\n" SERVICE
		   "  minimum-up: 67%\n",
		   &config, NULL);
	assert_true(announces(&config));
	assert_int_equal(config.announce.table, 107);
	assert_int_equal(config.announce.protocol, 107);
	assert_int_equal(config.announce.metric, 100);
	assert_int_equal(config.announce.metric_unfit, 1000);
	assert_int_equal(config.announce.leave_after, 3000);
	assert_string_equal(config.announce.track_files, "");
	assert_string_equal(config.announce.hook, "/bin/true");
	assert_int_equal(config.services->minimum_up, P(67));
	config_free(&config);
}

static const struct {
	const char *text, *why;
} refused[] = {
	{"announce: {}\n" SERVICE,
	 ":1: announce: names nothing to announce by: table, track-files or "
	 "hook"},
	{"announce: {table: 254}\n" SERVICE,
	 ":1: announce: table 254: must not be 253 to 255, by which this host "
	 "routes"},
	{"announce: {table: 107, metric: 1000}\n" SERVICE,
	 ":1: announce: metric-unfit 1000: must be larger than metric, which "
	 "is 1000"},
	{"announce: {track-files: run}\n" SERVICE,
	 ":1: announce: track-files \"run\": must be an absolute path"},
	{"announce: {hook: a b}\n" SERVICE,
	 ":1: announce: hook \"a b\": must be an absolute path"},
	{"announce: {protocol: 4}\n" SERVICE,
	 ":1: protocol \"4\": must be a number from 5 to 255"},
	{"announce: no\n" SERVICE,
	 ":1: announcement \"no\": must be a mapping of the keys table, "
	 "protocol, metric, metric-unfit, track-files, hook, leave-after"},
	{SERVICE "  minimum-up: 2\n",
	 ":2: service: minimum-up 2: must be at most 1, the number of its "
	 "backends"},
	{SERVICE "  minimum-up: 0%\n",
	 ":6: minimum-up \"0%\": must be a number from 1 to 8192 or a "
	 "percentage to 100%"},
	{SERVICE "  minimum-up: 101%\n",
	 ":6: minimum-up \"101%\": must be a number from 1 to 8192 or a "
	 "percentage to 100%"},
	{SERVICE "  minimum-up: 0\n",
	 ":6: minimum-up \"0\": must be a number from 1 to 8192 or a "
	 "percentage to 100%"},
	{SERVICE "  minimum-up: '%'\n",
	 ":6: minimum-up \"%\": must be a number from 1 to 8192 or a "
	 "percentage to 100%"},
};

static void refuses(void **state)
{
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (!config_parse("f", refused[i].text, strlen(refused[i].text),
				  &config, why, sizeof(why), NULL))
			fail_msg("accepted: %s", refused[i].text);
		assert_string_equal(why + 1, refused[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_fit),      cmocka_unit_test(rounds_up),
		cmocka_unit_test(is_in_order), cmocka_unit_test(reads_keys),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
