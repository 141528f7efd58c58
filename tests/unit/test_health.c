// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_health.c - when a backend is up, given the results of its health checks
 */
#include <errno.h>
#include <string.h>

#include "common/config/health.h"
#include "tests/unit/unit.h"

/*
 * Results as letters: '+' good, 'a' the application bad, 'p' the path, '.' not
 * made; and after each, what is known: '.' nothing, 'U' up, 'A' or 'P' down.
 */
static void assert_health(char from, const char *results, const char *expected)
{
	static const struct config_check check = {.rise = 2, .fall = 3};
	static const char found[] = ".+ap", known[] = ".UAP";
	struct health health = {
		.finding = (__u8)(strchr(known, from) - known),
	};
	char states[32] = "";
	__u8 was, result;
	bool changed;
	size_t i;

	for (i = 0; results[i]; i++) {
		was = health.finding;
		result = (__u8)(strchr(found, results[i]) - found);
		changed = health_note(&health, &check, result);
		assert_int_equal(changed, health.finding != was);
		states[i] = known[health.finding];
		assert_int_equal(health_is_down(&health),
				 states[i] == 'A' || states[i] == 'P');
	}
	assert_string_equal(states, expected);
}

static void rises_and_falls(void **state)
{
	(void)state;
	assert_health('U', "aa+aaa+a++", "UUUUUAAAAU");
	assert_health('U', "pp+ppp+p++", "UUUUUPPPPU");
	assert_health('U', "aa+aa+", "UUUUUU");
	assert_health('A', "+a++aa+aaa", "AAAUUUUUUA");
	/* As long as nothing is known, the first check decides. */
	assert_health('.', "a", "A");
	assert_health('.', "p", "P");
	assert_health('.', "p++", "PPU");
	assert_health('.', "+aa", "UUU");
	/*
	 * The running state says that it was up, or down: `fall` and `rise`
	 * apply.
	 */
	assert_health('U', "aa", "UU");
	assert_health('P', "+", "P");
}

/* Only `fall` consecutive lost checks move flows. */
static void path_and_application_are_apart(void **state)
{
	(void)state;
	assert_health('U', "aap", "UUA");
	assert_health('U', "ppapp", "UUAAA");
	assert_health('U', "ppappp", "UUAAAP");
	assert_health('A', "pp+ppp", "AAAAAP");
	/* The path is good again after `rise` answers, good or not. */
	assert_health('P', "aa", "PA");
	assert_health('P', "+a", "PA");
	assert_health('P', "apa+", "PPPA");
	assert_health('P', "a++", "PAU");
	/* Checks that were not made do not count. */
	assert_health('U', "p.p.p", "UUUUP");
	assert_health('U', "......", "UUUUUU");
	assert_health('.', "..p", "..P");
}

static const struct {
	enum outcome path, application;
	bool silent, apart; /* the application-port is checked, too */
	enum health_finding finding;
} verdicts[] = {
	{OUTCOME_BAD, OUTCOME_UNKNOWN, .finding = FINDING_PATH_DOWN},
	{OUTCOME_BAD, OUTCOME_GOOD, .apart = true,
	 .finding = FINDING_PATH_DOWN},
	{OUTCOME_BAD, OUTCOME_BAD, .apart = true, .finding = FINDING_PATH_DOWN},
	{OUTCOME_GOOD, OUTCOME_GOOD, .finding = FINDING_UP},
	{OUTCOME_GOOD, OUTCOME_UNKNOWN, .finding = FINDING_UP},
	{OUTCOME_GOOD, OUTCOME_BAD, .finding = FINDING_APPLICATION_DOWN},
	{OUTCOME_GOOD, OUTCOME_GOOD, .apart = true, .finding = FINDING_UP},
	{OUTCOME_GOOD, OUTCOME_BAD, .apart = true,
	 .finding = FINDING_APPLICATION_DOWN},
	/* A local lack of resources. */
	{OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, .finding = FINDING_NONE},
	{OUTCOME_UNKNOWN, OUTCOME_BAD, .apart = true, .finding = FINDING_NONE},
	{OUTCOME_GOOD, OUTCOME_UNKNOWN, .apart = true, .finding = FINDING_NONE},
	/* `no-answer: up` */
	{OUTCOME_UNKNOWN, OUTCOME_UNKNOWN, .silent = true,
	 .finding = FINDING_UP},
};

static void outcomes_are_judged(void **state)
{
	static const int answers[] = {ECONNREFUSED, ECONNRESET, EPIPE};
	static const int own[] = {EMFILE,     ENFILE,	     ENOMEM, ENOBUFS,
				  EADDRINUSE, EADDRNOTAVAIL, EPERM};
	static const int others[] = {EHOSTUNREACH, ENETUNREACH, ETIMEDOUT};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct config_check check = {
			.application_port =
				verdicts[i].apart ? bpf_htons(8080) : 0,
		};

		assert_int_equal(health_verdict(&check, verdicts[i].path,
						verdicts[i].application,
						verdicts[i].silent),
				 verdicts[i].finding);
	}
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_true(health_is_answer(answers[i]) &&
			    !health_is_own_lack(answers[i]));
	for (i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_true(health_is_own_lack(own[i]) &&
			    !health_is_answer(own[i]));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(health_is_answer(others[i]) ||
			     health_is_own_lack(others[i]));
}

/*
 * A backend that dies the moment after a check: when is the last of `fall`
 * checks done, each of which waits for its answer in vain?
 */
static void is_down_in_time(void **state)
{
	struct config_check check = {.type = CHECK_TCP, .path = "/"};
	__u32 at, n;

	(void)state;
	for (check.interval = 100; check.interval <= 3000;
	     check.interval += 100) {
		check.timeout = check.interval / 2;
		for (check.fall = 2; check.fall < 10; check.fall++) {
			at = health_pause(&check, true) + check.timeout;
			/* The next check begins when this one has ended. */
			for (n = 1; n < check.fall; n++)
				at += health_pause(&check, false);
			assert_true(at <= check.interval * check.fall);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rises_and_falls),
		cmocka_unit_test(path_and_application_are_apart),
		cmocka_unit_test(outcomes_are_judged),
		cmocka_unit_test(is_down_in_time),
	};

	return RUN("health", tests);
}
