// SPDX-License-Identifier: GPL-2.0-only
/*
 * forward: nat, and nat-source: what is refused, and what they mean.
 */
#include <string.h>

#include "common/config/config.h"
#include "common/core/address.h"
#include "tests/unit/refuse.h"
#include "tests/unit/unit.h"

#define NAT                                                                    \
	"nat-source: [192.0.2.9]\nservices:\n  - {vip: 192.0.2.1, port: 80, "  \
	"forward: nat, "
#define BACKEND "backends: [{address: 192.0.2.2}]}\n"

static const struct refused_text refused[] = {
	{"services:\n  - {vip: 192.0.2.1, port: 80, forward: nat, "
	 "backends: [{address: 192.0.2.2}]}\n",
	 ":2: forward nat: only in a file whose key \"nat-source\" has an "
	 "IPv4 address, to which replies come back"},
	{"nat-source: [\"2001:db8::9\"]\nservices:\n  - {vip: 192.0.2.1, "
	 "port: 80, forward: nat, backends: [{address: 192.0.2.2}]}\n",
	 ":3: forward nat: only in a file whose key \"nat-source\" has an "
	 "IPv4 address, to which replies come back"},
	{NAT "checksum: update, " BACKEND,
	 ":3: checksum update: only with forward: @overwriting; nat makes all "
	 "checksums true"},
	{NAT "flows: second-chance, " BACKEND,
	 ":3: flows: second-chance: not with forward: nat, which no backend "
	 "undoes"},
	{NAT "second-chance: always, " BACKEND,
	 ":3: second-chance: always: not with forward: nat, which no backend "
	 "undoes"},
	{NAT "protocol: udp, fragments: by-address, " BACKEND,
	 ":3: fragments: by-address: not with forward: nat, which tells flows "
	 "by their ports"},
	{NAT "protocol: udp, scheduler: workers, threads: 4, release: "
	     "9000, " BACKEND,
	 ":3: scheduler workers: not with forward: nat, whose program knows no "
	 "queue"},
	{"services:\n  - {vip: 192.0.2.1, port: 80, backends: [\n{address: "
	 "192.0.2.2, port: 81}]}\n",
	 ":3: port 81 of a backend: only with forward: @returning; rewrite "
	 "leaves the port as the client wrote it"},
	{"nat-source: [192.0.2.9]\nservices:\n  - {vip: 192.0.2.1, port: any, "
	 "forward: nat, backends: [\n{address: 192.0.2.2, port: 81}]}\n",
	 ":4: port 81 of a backend: not in a service of any port"},
	{NAT "backends: [{address: \"2001:db8::2\"}]}\n",
	 ":3: backend 2001:db8::2: must be an IPv4 address, as the VIP "
	 "192.0.2.1 is; nat cannot cross families, @crossing can"},
	{"nat-source: [10.0.0.0/8]\nservices:\n  - {vip: 192.0.2.1, "
	 "port: 80, backends: [{address: 192.0.2.2}]}\n",
	 ": nat-source: must be addresses, not the prefix of 10.0.0.0"},
};

REFUSES(refused)

static void fills_in(void **unused)
{
	static const char text[] = NAT
		"backends: [{address: 192.0.2.2}, {address: 192.0.2.3, port: "
		"8081}]}\n";
	struct config config;
	struct addr source;
	char why[512];

	(void)unused;
	if (config_parse("f.yaml", text, strlen(text), &config, why,
			 sizeof(why), NULL))
		fail_msg("%s", why);
	addr_set_v4(&source, bpf_htonl(0xc0000209));
	assert_int_equal(config.nat_source_count, 1);
	assert_memory_equal(&config.nat_sources[0].address, &source,
			    sizeof(source));
	assert_int_equal(config.nat_first_port, 10240);
	assert_int_equal(config.nat_table_size, 131072);
	assert_true(method_returns(&config.services[0].method));
	assert_true(!config.services[0].backends[0].port);
	assert_true(config.services[0].backends[1].port == bpf_htons(8081));
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_refused),
		cmocka_unit_test(fills_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
