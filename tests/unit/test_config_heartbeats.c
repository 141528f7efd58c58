// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_config_heartbeats.c - what a file says of heartbeats: where they go,
 * who makes a check, and which check a backend makes of itself
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/health.h"
#include "common/config/write.h"
#include "common/core/inline.h"
#include "tests/unit/refused.h"

#define CHECK(text) HEAD "  check: " text "\n" BACKENDS

static void parse_text(const char *text, struct config *config)
{
	char why[512];

	if (config_parse("f.yaml", text, strlen(text), config, why, sizeof(why),
			 NULL))
		fail_msg("%s", why);
}

static void who_checks(void **state)
{
	static const struct {
		const char *text;
		__u8 type, heartbeats;
	} rows[] = {
		{CHECK("{}"), CHECK_TCP, HEARTBEATS_NONE},
		{CHECK("{heartbeats: beside}"), CHECK_TCP, HEARTBEATS_BESIDE},
		{CHECK("{heartbeats: alone}"), CHECK_TCP, HEARTBEATS_ALONE},
		{CHECK("{path: /a, heartbeats: alone}"), CHECK_HTTP,
		 HEARTBEATS_ALONE},
		{CHECK("{type: heartbeat}"), CHECK_HEARTBEAT, HEARTBEATS_ALONE},
		{HEAD BACKENDS, CHECK_NONE, HEARTBEATS_NONE},
	};
	const struct config_check *check;
	struct config config;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse_text(rows[i].text, &config);
		check = &config.services->check;
		assert_int_equal(check->type, rows[i].type);
		assert_int_equal(health_heartbeats(check), rows[i].heartbeats);
		assert_int_equal(heartbeats_wanted(&config),
				 rows[i].heartbeats != HEARTBEATS_NONE);
		config_free(&config);
	}
}

/* Of CHECK_HEARTBEAT, the backend asks by what the service speaks. */
static void local_check(void **state)
{
	static const struct {
		const char *text;
		__u8 type, no_answer;
	} rows[] = {
		{CHECK("{type: heartbeat}"), CHECK_TCP, NO_ANSWER_UP},
		{HEAD "  protocol: udp\n  check: {type: heartbeat}\n" BACKENDS,
		 CHECK_UDP, NO_ANSWER_UP},
		{CHECK("{path: /a, heartbeats: beside}"), CHECK_HTTP,
		 NO_ANSWER_DOWN},
	};
	struct config_check local;
	struct config config;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse_text(rows[i].text, &config);
		health_local(config.services, &local);
		assert_int_equal(local.type, rows[i].type);
		assert_int_equal(local.no_answer, rows[i].no_answer);
		assert_int_equal(local.interval,
				 config.services->check.interval);
		config_free(&config);
	}
}

static void assert_targets(const char *text, const char *const *expected)
{
	struct addr targets[HEARTBEAT_TARGETS];
	char address[INET6_ADDRSTRLEN];
	struct config config;
	int count, i;

	parse_text(text, &config);
	count = heartbeat_targets(&config, targets);
	for (i = 0; expected[i]; i++) {
		assert_true(i < count);
		assert_string_equal(addr_text(&targets[i], address),
				    expected[i]);
	}
	assert_int_equal(count, i);
	config_free(&config);
}

static void where_they_go(void **state)
{
	struct addr address;

	(void)state;
	assert_targets(SERVICE,
		       (const char *[]){"239.0.0.1", "ff15::4242", NULL});
	assert_targets("heartbeat-to: [10.0.0.2, '2001:db8::2', 224.1.1.1, "
		       "'ff02::42']\n" SERVICE,
		       (const char *[]){"10.0.0.2", "2001:db8::2", "224.1.1.1",
					"ff02::42", NULL});
	addr_parse("224.0.0.0", &address);
	assert_true(addr_is_group(&address));
	addr_parse("240.0.0.0", &address);
	assert_false(addr_is_group(&address));
	addr_parse("ff00::", &address);
	assert_true(addr_is_group(&address));
	addr_parse("fe80::1", &address);
	assert_false(addr_is_group(&address));
}

static void defaults_and_limits(void **state)
{
	struct config config;

	(void)state;
	parse_text(SERVICE, &config);
	assert_int_equal(config.heartbeat_interval, 5000);
	assert_int_equal(config.heartbeat_clock, 30000);
	assert_int_equal(bpf_ntohs(config.heartbeat_port), 4242);
	assert_int_equal(config.heartbeat_network_count, 0);
	config_free(&config);
	parse_text(
		"heartbeat-interval: 100ms\nheartbeat-clock: 1h\n"
		"heartbeat-port: 65535\n"
		"heartbeat-network: [10.1.0.0/16, '2001:db8:1::/48']\n" SERVICE,
		&config);
	assert_int_equal(config.heartbeat_interval, 100);
	assert_int_equal(config.heartbeat_clock, 3600000);
	assert_int_equal(bpf_ntohs(config.heartbeat_port), 65535);
	assert_int_equal(config.heartbeat_network_count, 2);
	config_free(&config);
}

/* As `lbr run` reads what runs. */
static void written_is_read_again(void **state)
{
	struct config config, again;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	parse_text(
		"heartbeat-to: [10.0.0.2, 'ff15::42', 239.1.1.1]\n"
		"heartbeat-network: [10.1.0.0/16, '2001:db8:1::/48']\n" CHECK(
			"{path: /a, heartbeats: alone}"),
		&config);
	config_write(&config, out);
	fclose(out);
	parse_text(text, &again);
	assert_memory_equal(config.digest, again.digest, sizeof(again.digest));
	assert_int_equal(again.heartbeat_to_count, 3);
	assert_memory_equal(again.heartbeat_to, config.heartbeat_to,
			    3 * sizeof(*config.heartbeat_to));
	config_free(&config);
	config_free(&again);
	free(text);
}

#define ONE "must be an IPv4 or IPv6 address, unicast or multicast"

static const struct refused_text refused[] = {
	{"heartbeat-to: [239.0.0.0/8]\n" SERVICE,
	 ":1: heartbeat-to \"239.0.0.0/8\": " ONE},
	{"heartbeat-to: [127.0.0.1]\n" SERVICE,
	 ":1: heartbeat-to \"127.0.0.1\": " ONE "; this is a loopback address"},
	{"heartbeat-to: []\n" SERVICE,
	 ":1: heartbeat-to: must be a list of 1 to 16 addresses, not empty"},
	{"heartbeat-network: [239.0.0.0/8]\n" SERVICE,
	 ":1: heartbeat-network \"239.0.0.0/8\": must be an IPv4 or IPv6 "
	 "unicast address or prefix; this is a multicast address"},
	{"heartbeat-interval: 99ms\n" SERVICE,
	 ":1: heartbeat-interval \"99ms\": must be a duration from 100ms to "
	 "1min, with its unit (ms, s, min or h)"},
	{"heartbeat-to: [192.0.2.1]\n" SERVICE,
	 ":3: vip 192.0.2.1: heartbeat-to names it; name each load "
	 "balancer's own address"},
	{CHECK("{type: heartbeat, heartbeats: beside}"),
	 ":4: check: heartbeats is for tcp or http or https or udp, and the "
	 "type of this check is heartbeat"},
	{CHECK("{type: heartbeat, path: /}"),
	 ":4: check: path is for http or https, and the type of this check is "
	 "heartbeat"},
	{CHECK("{heartbeats: 'yes'}"),
	 ":4: heartbeats \"yes\": must be none or beside or alone"},
};

REFUSES(refused)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_checks),
		cmocka_unit_test(local_check),
		cmocka_unit_test(where_they_go),
		cmocka_unit_test(defaults_and_limits),
		cmocka_unit_test(written_is_read_again),
		cmocka_unit_test(refuses_refused),
	};

	return RUN("what a file says of heartbeats", tests);
}
