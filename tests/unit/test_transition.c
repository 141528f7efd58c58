// SPDX-License-Identifier: GPL-2.0-only
/* Which file may follow which, for services without flow memory. */
#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/transition.h"
#include "tests/unit/unit.h"

#define A	   "{address: 198.51.100.1}, "
#define B	   "{address: 198.51.100.2}, "
#define C	   "{address: 198.51.100.3}, "
#define A_FILLS	   "{address: 198.51.100.1, state: filling}, "
#define C_FILLS	   "{address: 198.51.100.3, state: filling}, "
#define A_DRAINS   "{address: 198.51.100.1, state: draining}, "
#define A_3	   "{address: 198.51.100.1, weight: 3}, "
#define A_3_DRAINS "{address: 198.51.100.1, weight: 3, drain: true}, "
#define A_1_TO_3   "{address: 198.51.100.1, weight: 3, weight-before: 1}, "
#define A_3_TO_5   "{address: 198.51.100.1, weight: 5, weight-before: 3}, "
#define A_3_FILLS  "{address: 198.51.100.1, weight: 3, state: filling}, "
#define A_3_TO_1   "{address: 198.51.100.1, weight: 1, weight-before: 3}, "

#define BREAKS "flows of 192.0.2.1:80/tcp would break: "

static const struct {
	const char *old, *new; /* backends */
	const char *why;       /* NULL: it may follow */
} steps[] = {
	{A B, A B},
	{A B, B A},
	/* One step of each kind, and the step after it. */
	{A B, A B C_FILLS},
	{A B C_FILLS, A B C},
	{A B, A_DRAINS B},
	{A_DRAINS B, B},
	{A_DRAINS B, A_FILLS B},
	{A_FILLS B, A_DRAINS B},
	{A B, A_1_TO_3 B},
	{A_1_TO_3 B, A_3 B},
	{A_1_TO_3 B, A_3_TO_1 B},
	{A B, A_DRAINS B C_FILLS},
	{A_DRAINS B, A_DRAINS B C_FILLS},
	/* These need more than one step. */
	{A B, A B C,
	 BREAKS "198.51.100.3 is new; give it `state: filling` first"},
	{A B, B,
	 BREAKS "198.51.100.1 is removed; give it `state: draining` first"},
	{A B, A_3 B,
	 BREAKS "198.51.100.1 has the weight 1; give it `weight-before: 1` "
		"first"},
	{A B, A_3_TO_1 B},
	{A B, A_3_DRAINS B,
	 BREAKS "198.51.100.1 had the weight 1; drain it with that weight"},
	{A_DRAINS B, A B,
	 BREAKS "198.51.100.1 is new; give it `state: filling` first"},
	{A B C_FILLS, A_DRAINS B C,
	 BREAKS "the transition of 198.51.100.3 ends in the step in which that "
		"of 198.51.100.1 begins; end it first"},
	{A_DRAINS B, B C_FILLS,
	 BREAKS "the transition of 198.51.100.1 ends in the step in which that "
		"of 198.51.100.3 begins; end it first"},
	/* With a single backend, too: flows of weight 1 would be forgotten. */
	{A_1_TO_3 B, A_3_TO_5 B,
	 BREAKS "a transition of 198.51.100.1 ends in the step in which its "
		"next one begins; end it first"},
	{A_DRAINS B, A_3_FILLS B,
	 BREAKS "a transition of 198.51.100.1 ends in the step in which its "
		"next one begins; end it first"},
};

/* Services beside one of any port, and the message about them. */
static void ports(void **unused)
{
	static const char any[] = "services:\n"
				  "- {vip: 192.0.2.1, port: any, flows: "
				  "second-chance, backends: [" A B "]}\n";
	static const struct {
		const char *old, *new, *why; /* further services */
	} cases[] = {
		{"", "- {vip: 192.0.2.1, port: 80, backends: [" C "]}\n",
		 "flows of 192.0.2.1:any/tcp would break: port 80 gets a "
		 "service of its own, and nobody remembers them; `flows: "
		 "remember` first"},
		{"- {vip: 192.0.2.1, port: 80, backends: [" C "]}\n",
		 "- {vip: 192.0.2.1, port: 80, backends: [" C_FILLS "]}\n"},
		{"", "- {vip: 192.0.2.1, port: 80, protocol: udp, backends: "
		     "[" C "]}\n"},
		{"", "- {vip: 192.0.2.2, port: 80, backends: [" C "]}\n"},
	};
	char text[1024], why[512];
	struct config old, new;
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s", any, cases[i].old);
		assert_int_equal(config_parse("file", text, strlen(text), &old,
					      why, sizeof(why), NULL),
				 0);
		snprintf(text, sizeof(text), "%s%s", any, cases[i].new);
		assert_int_equal(config_parse("file", text, strlen(text), &new,
					      why, sizeof(why), NULL),
				 0);
		*why = '\0';
		transition_step(&old, &new, why, sizeof(why));
		assert_string_equal(why, cases[i].why ?: "");
		config_free(&old);
		config_free(&new);
	}
}

static void read_backends(struct config *config, const char *flows,
			  const char *backends)
{
	char text[1024], why[512];

	snprintf(
		text, sizeof(text),
		"services:\n- {vip: 192.0.2.1, port: 80, %s, backends: [%s]}\n",
		flows, backends);
	if (config_parse("file", text, strlen(text), config, why, sizeof(why),
			 NULL))
		fail_msg("%s\n%s", why, text);
}

static void step_by_step(void **unused)
{
	struct config old, new;
	char why[256];
	size_t i;
	int rc;

	(void)unused;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		read_backends(&old, "flows: second-chance", steps[i].old);
		read_backends(&new, "flows: second-chance", steps[i].new);
		*why = '\0';
		rc = transition_step(&old, &new, why, sizeof(why));
		if ((rc != 0) != (steps[i].why != NULL))
			fail_msg("%s -> %s: %d, %s", steps[i].old, steps[i].new,
				 rc, why);
		if (rc)
			assert_string_equal(why, steps[i].why);
		config_free(&old);
		config_free(&new);
	}
}

/*
 * Other changes of such a service; and changes of one whose flows are
 * remembered.
 */
static const struct {
	const char *old, *new, *why, *before, *after;
} others[] = {
	{"flows: second-chance", "flows: remember"},
	{"flows: remember", "flows: second-chance"},
	{"flows: second-chance", "flows: second-chance, table-size: 251",
	 BREAKS "its table has the table-size 65537, by maglev; give "
		"it `was: {table-size: 65537, scheduler: maglev}` "
		"first"},
	{"flows: second-chance", "flows: second-chance, scheduler: source-hash",
	 BREAKS "its table has the table-size 65537, by maglev; give "
		"it `was: {table-size: 65537, scheduler: maglev}` "
		"first"},
	{"flows: second-chance", "scheduler: random",
	 BREAKS "random is no function of the flow; `flows: remember` "
		"first"},
	{"flows: second-chance",
	 "flows: second-chance, table-size: 251, was: {table-size: "
	 "65537}"},
	{"flows: second-chance, table-size: 251, was: {table-size: "
	 "65537}",
	 "flows: second-chance, table-size: 251"},
	/* There and back. */
	{"flows: second-chance, table-size: 251, was: {table-size: "
	 "65537}",
	 "flows: second-chance, was: {table-size: 251}"},
	{"flows: second-chance, table-size: 251, was: {table-size: "
	 "65537}",
	 "flows: second-chance",
	 BREAKS "its table has the table-size 251, by maglev; give it "
		"`was: {table-size: 251, scheduler: maglev}` first"},
	{"flows: second-chance",
	 "flows: second-chance, scheduler: source-hash, was: "
	 "{scheduler: maglev}"},
	{"flows: second-chance, scheduler: source-hash, was: "
	 "{scheduler: maglev}",
	 "flows: second-chance, scheduler: source-hash, table-size: "
	 "251, was: {table-size: 65537}",
	 BREAKS "a transition of its table ends in the step in which "
		"its next one begins; end it first"},
	/* Its table, and a backend. */
	{"flows: second-chance", "flows: second-chance, was: {table-size: 251}",
	 BREAKS "the transition of 198.51.100.3 ends in the step in "
		"which that of its table begins; end it first",
	 A B C_FILLS, A B C},
	{"flows: second-chance, was: {table-size: 251}", "flows: second-chance",
	 BREAKS "the transition of its table ends in the step in which "
		"that of 198.51.100.3 begins; end it first",
	 A B, A B C_FILLS},
	{"flows: second-chance",
	 "flows: second-chance, table-size: 251, was: {table-size: "
	 "65537}",
	 NULL, A B, A_DRAINS B C_FILLS},
	{"flows: second-chance", "protocol: udp",
	 BREAKS "it is removed, and nobody remembers them; `flows: "
		"remember` first"},
	{"flows: remember", "protocol: udp"},
};

static void other_steps(void **unused)
{
	struct config old, new;
	char why[256];
	size_t i;
	int rc;

	(void)unused;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		read_backends(&old, others[i].old, others[i].before ?: A B);
		read_backends(&new, others[i].new, others[i].after ?: A B);
		rc = transition_step(&old, &new, why, sizeof(why));
		assert_int_equal(rc, others[i].why ? -1 : 0);
		if (rc)
			assert_string_equal(why, others[i].why);
		config_free(&old);
		config_free(&new);
	}
	read_backends(&old, "flows: remember", A B);
	read_backends(&new, "flows: remember", A_3 C);
	assert_int_equal(transition_step(&old, &new, why, sizeof(why)), 0);
	config_free(&old);
	config_free(&new);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(step_by_step),
		cmocka_unit_test(other_steps),
		cmocka_unit_test(ports),
	};

	return RUN("transition", tests);
}
