// SPDX-License-Identifier: GPL-2.0-only
/* Keys of `scheduler: workers`, and what it is not combined with. */
#include "tests/unit/refused.h"

#define POOL                                                                   \
	HEAD "  protocol: udp\n  scheduler: workers\n  threads: 4\n"           \
	     "  release: 81\n"
#define TO "release-to: [192.0.2.9]\n"

static const struct refused_text rows[] = {
	{HEAD "  threads: 4\n" BACKENDS,
	 ":2: threads: only with scheduler: workers"},
	{HEAD "  release: 81\n" BACKENDS,
	 ":2: release: only with scheduler: workers"},
	{HEAD "  scheduler: workers\n" BACKENDS,
	 ":2: scheduler: workers is for udp only: a request is one datagram"},
	{VIP "  port: any\n  protocol: udp\n  scheduler: workers\n" BACKENDS,
	 ":2: scheduler: workers is not with port: any: a request has one "
	 "port"},
	{POOL "  fragments: by-address\n" BACKENDS,
	 ":2: scheduler: workers is not with fragments: by-address: a request "
	 "is one datagram, and not a fragment of one"},
	{POOL "  load-balancers: 5\n" BACKENDS,
	 ":2: load-balancers 5: at most 4, its threads, or one of them has no "
	 "thread"},
	{POOL BACKENDS "    weight: 2\n",
	 ":9: weight 2: not with scheduler: workers, which goes by free "
	 "threads"},
	{"release-to: [192.0.2.0/24]\n" POOL BACKENDS,
	 ": release-to: must be addresses, not the prefix of 192.0.2.0"},
	{"release-to: ['2001:db8::9']\n" POOL BACKENDS,
	 ":3: release-to: has no IPv4 address, to which messages about this "
	 "service could go"},
	{TO "lb-sources: [192.0.2.9]\n" POOL "  forward: ipip\n  backends:\n"
	    "  - address: 2001:db8::1\n",
	 ":12: release-to: not with a backend of another family than the VIP"},
};
REFUSES(rows)

static void release_to(void **state)
{
	static const char text[] = TO POOL BACKENDS;
	struct config config;
	char why[512];

	(void)state;
	assert_int_equal(config_parse("f.yaml", text, strlen(text), &config,
				      why, sizeof(why), NULL),
			 0);
	assert_int_equal(config.release_to_count, 1);
	assert_int_equal(config.release_to[0].bits, 128);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_rows),
		cmocka_unit_test(release_to),
	};

	return RUN("config_workers", tests);
}
