// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plans as a user reads them: what each step waits for, who applies it first,
 * and what it changes. That every plan arrives is test_plan.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/plan.h"
#include "tests/unit/unit.h"

#define HEAD   "services:\n  - {vip: 192.0.2.1, port: 80, flows: second-chance"
#define A      "{address: 198.51.100.1}"
#define B      "{address: 198.51.100.2}"
#define C      "{address: 198.51.100.3}"
#define POOL   ", backends: ["
#define OF     " of 192.0.2.1:80/tcp "
#define FILLS  "weight 1, filling"
#define DRAINS "weight 1, draining"

/* What a user reads: each step's wait, who is first, and the changes. */
static const struct {
	const char *from, *wanted, *steps;
} known[] = {
	{HEAD POOL A "]}\n", HEAD POOL A "]}\n", ""},
	{HEAD POOL A ", " B "]}\n", HEAD POOL B ", " C "]}\n",
	 "0 backends\n"
	 "~ backend 198.51.100.1" OF "weight 1 -> " DRAINS "\n"
	 "+ backend 198.51.100.3" OF FILLS "\n"
	 "1 load balancers\n"
	 "- backend 198.51.100.1" OF DRAINS "\n"
	 "~ backend 198.51.100.3" OF FILLS " -> weight 1\n"},
	{HEAD POOL A "]}\n",
	 HEAD ", table-size: 251" POOL "{address: 198.51.100.1, weight: 3}]}\n",
	 "0 backends\n"
	 "~ backend 198.51.100.1" OF "weight 1 -> weight 3, was 1\n"
	 "~ table-size" OF "65537 -> 251\n"
	 "~ was" OF "none -> {table-size: 65537}\n"
	 "1 load balancers\n"
	 "~ backend 198.51.100.1" OF "weight 3, was 1 -> weight 3\n"
	 "~ was" OF "{table-size: 65537} -> none\n"},
	/* Backends restore by the new method before a load balancer uses it. */
	{HEAD POOL A "]}\n",
	 HEAD ", forward: ipip" POOL A "]}\nlb-sources: [192.0.2.0/24]\n",
	 "0 backends\n"
	 "~ lb-sources none -> [192.0.2.0/24]\n"
	 "0 backends\n"
	 "~ forward" OF "rewrite -> ipip\n"},
	/* Another port: both, and the first is removed at the end. */
	{HEAD POOL A "]}\n",
	 "services:\n  - {vip: 192.0.2.1, port: 81, flows: second-chance" POOL A
	 "]}\n",
	 "0 backends\n"
	 "+ service 192.0.2.1:81/tcp maglev rewrite\n"
	 "+ backend 198.51.100.1 of 192.0.2.1:81/tcp weight 1\n"
	 "~ flows" OF "second-chance -> remember\n"
	 "2 load balancers\n"
	 "- service 192.0.2.1:80/tcp maglev rewrite\n"
	 "- backend 198.51.100.1" OF "weight 1\n"},
	/* No second chance for UDP: at once, and it drains before it goes. */
	{"services:\n  - {vip: 192.0.2.1, port: 80, protocol: udp" POOL A
	 "]}\n",
	 "services:\n  - {vip: 192.0.2.1, port: 80, protocol: udp" POOL B
	 "]}\n",
	 "0 backends\n"
	 "~ backend 198.51.100.1 of 192.0.2.1:80/udp weight 1 -> " DRAINS "\n"
	 "+ backend 198.51.100.2 of 192.0.2.1:80/udp weight 1\n"
	 "2 load balancers\n"
	 "- backend 198.51.100.1 of 192.0.2.1:80/udp " DRAINS "\n"},
};

static void told(const char *from, const char *wanted, FILE *out)
{
	struct config current, goal;
	struct plan_step step;
	char why[512];

	if (config_parse("from", from, strlen(from), &current, why, sizeof(why),
			 NULL) ||
	    config_parse("wanted", wanted, strlen(wanted), &goal, why,
			 sizeof(why), NULL))
		fail_msg("%s", why);
	while (plan_next(&current, &goal, &step) > 0) {
		fprintf(out, "%d %s\n", step.wait,
			step.balancers_first ? "load balancers" : "backends");
		assert_int_equal(plan_changes(&current, &step.config, out), 0);
		config_free(&current);
		config_parse("step", step.file, strlen(step.file), &current,
			     why, sizeof(why), NULL);
		plan_step_free(&step);
	}
	config_free(&current);
	config_free(&goal);
}

static void known_plans(void **unused)
{
	char *text = NULL;
	size_t size, i;
	FILE *out;

	(void)unused;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		out = open_memstream(&text, &size);
		told(known[i].from, known[i].wanted, out);
		fclose(out);
		assert_string_equal(text, known[i].steps);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_plans),
	};

	return RUN("plan, known", tests);
}
