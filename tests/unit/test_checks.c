// SPDX-License-Identifier: GPL-2.0-only
/* test_checks.c - what a file may say of health checks */
#include <string.h>

#include "common/config/config.h"
#include "common/core/abi_services.h"
#include "tests/unit/unit.h"

#define SERVICE(words)                                                         \
	"services:\n- vip: 192.0.2.1\n  backends: [{address: 198.51.100.1}]\n" \
	"  " words "\n"
#define TCP(check) SERVICE("port: 80\n  check: " check)
#define UDP(check) SERVICE("port: 53\n  protocol: udp\n  check: " check)

static int parse(const char *text, struct config *config, char *why,
		 size_t size)
{
	return config_parse("f", text, strlen(text), config, why, size, NULL);
}

static void check_is_read(void **state)
{
	const struct config_check *check;
	struct config config;
	char why[512] = "";

	(void)state;
	assert_int_equal(parse(SERVICE("port: 80"), &config, why, sizeof(why)),
			 0);
	assert_int_equal(config.services->check.type, CHECK_NONE);
	assert_int_equal(config.services->check.interval, 0);
	assert_int_equal(config.services->on_all_down, ALL_DOWN_ALL);
	assert_int_equal(config.services->on_down, DOWN_KEEP);
	config_free(&config);

	assert_int_equal(parse(TCP("{}\n  on-all-down: pass\n  on-down: move"),
			       &config, why, sizeof(why)),
			 0);
	check = &config.services->check;
	assert_int_equal(config.services->on_all_down, ALL_DOWN_PASS);
	assert_int_equal(config.services->on_down, DOWN_MOVE);
	assert_int_equal(check->type, CHECK_TCP);
	assert_int_equal(check->interval, 2000);
	assert_int_equal(check->timeout, 1000);
	assert_int_equal(check->rise, 2);
	assert_int_equal(check->fall, 3);
	assert_int_equal(check->status, 0);
	assert_int_equal(check->line, 5);
	assert_string_equal(check->path, "/");
	assert_string_equal(check->host, "");
	config_free(&config);
}

static void every_key_is_read(void **state)
{
	const struct config_check *check;
	struct config config;
	char why[512] = "";

	(void)state;
	assert_int_equal(
		parse(SERVICE("port: any\n  on-all-down: drop\n  check:\n"
			      "    type: https\n    port: 8443\n"
			      "    path: /health?a=b\n    host: example.org\n"
			      "    status: 204\n    body: fine\n"
			      "    interval: 100ms\n    timeout: 50ms\n"
			      "    rise: 1000\n    fall: 1"),
		      &config, why, sizeof(why)),
		0);
	check = &config.services->check;
	assert_true(!check->application_port);
	assert_int_equal(config.services->on_all_down, ALL_DOWN_DROP);
	assert_int_equal(check->type, CHECK_HTTPS);
	assert_true(check->port == bpf_htons(8443));
	assert_string_equal(check->path, "/health?a=b");
	assert_string_equal(check->host, "example.org");
	assert_string_equal(check->body, "fine");
	assert_int_equal(check->status, 204);
	assert_int_equal(check->interval, 100);
	assert_int_equal(check->timeout, 50);
	assert_int_equal(check->rise, 1000);
	assert_int_equal(check->fall, 1);
	config_free(&config);
}

/*
 * Ports at which a check of the application is not taken for a client's packet.
 */
static void application_is_apart(void **state)
{
	static const char *const rows[] = {
		TCP("{application-port: 8080}"),
		/* The same port with another backend, protocol or method. */
		TCP("{application-port: 8080}\n"
		    "- {vip: 192.0.2.1, port: 8080, backends: "
		    "[{address: 198.51.100.2}]}"),
		TCP("{application-port: 8080}\n"
		    "- {vip: 192.0.2.1, port: 8080, protocol: udp, backends: "
		    "[{address: 198.51.100.1}]}"),
		TCP("{application-port: 80}\n  forward: l2"),
		TCP("{application-port: 80}\n  forward: dscp\n  dscp: 1"),
	};
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i], &config, why, sizeof(why)))
			fail_msg("%s: %s", rows[i], why);
		assert_true(!!config.services->check.application_port);
		config_free(&config);
	}
}

#define A32 "abcdefghijklmnopqrstuvwxyz012345"

/* A key, and the types that may have it, according to the manual. */
static const struct {
	const char *key, *types;
} of_types[] = {
	{"path: /healthz", "http https"},
	{"host: example.org", "http https"},
	{"status: 200", "http https"},
	{"body: ok", "http https udp"},
	{"send: ping", "udp"},
	{"no-answer: up", "udp"},
	{"application-port: 8080",
	 "tcp http https"}, /* not 80, the service's */
	{"interval: 4s", "tcp http https udp"},
	{"rise: 4", "tcp http https udp"},
};

static void keys_are_for_types(void **state)
{
	static const char *const types[] = {"tcp", "http", "https", "udp"};
	char text[512], why[512];
	struct config config;
	size_t i, j;
	bool taken, named;

	(void)state;
	for (i = 0; i < sizeof(of_types) / sizeof(of_types[0]); i++) {
		for (j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			snprintf(text, sizeof(text),
				 SERVICE("protocol: %s\n  port: 80\n  check: "
					 "{type: %s, %s}"),
				 strcmp(types[j], "udp") ? "tcp" : "udp",
				 types[j], of_types[i].key);
			taken = !parse(text, &config, why, sizeof(why));
			/* so that " http " is not found in " https " */
			snprintf(text, sizeof(text), " %s ", of_types[i].types);
			snprintf(why, sizeof(why), " %s ", types[j]);
			named = strstr(text, why);
			if (taken != named)
				fail_msg("%s of %s", of_types[i].key, types[j]);
			if (taken)
				config_free(&config);
		}
	}
}

/* What a check sends must not depend on a key that was left out. */
static void type_follows_its_keys(void **state)
{
	static const struct {
		const char *text;
		__u8 type;
	} rows[] = {
		{TCP("{}"), CHECK_TCP},
		{TCP("{interval: 4s}"), CHECK_TCP},
		{TCP("{application-port: 8080}"), CHECK_TCP},
		{TCP("{path: /healthz}"), CHECK_HTTP},
		{TCP("{status: 204, application-port: 8080}"), CHECK_HTTP},
		{TCP("{body: ok}"), CHECK_HTTP},
		{UDP("{send: ping, body: pong}"), CHECK_UDP},
		{UDP("{no-answer: up}"), CHECK_UDP},
		{TCP("{type: none, path: /healthz}"), CHECK_NONE},
	};
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, &config, why, sizeof(why)))
			fail_msg("%s: %s", rows[i].text, why);
		assert_int_equal(config.services->check.type, rows[i].type);
		config_free(&config);
	}
}

static const struct {
	const char *text, *why;
} refused[] = {
	{TCP("1"), "f:5: check \"1\": must be a mapping of the keys"},
	{TCP("{tpye: tcp}"),
	 "f:5: unknown key \"tpye\"; did you mean \"type\"?"},
	{TCP("{type: icmp}"), "f:5: type \"icmp\": must be tcp or "
			      "http or https or udp or heartbeat or none"},
	{TCP("{type: udp}"),
	 "f:5: check: a service of tcp is checked by tcp, http, "
	 "https or heartbeat, not by udp"},
	{UDP("{type: tcp}"), "f:6: check: a service of udp is checked "
			     "by udp or heartbeat, not by tcp"},
	{TCP("{port: 80}"), "f:5: check: port must be left out; it is "
			    "the service's"},
	{SERVICE("port: any\n  check: {}"),
	 "f:5: check: port must be named, because the service is "
	 "of any port"},
	{TCP("{no-answer: up}"),
	 "f:5: check: a service of tcp is checked by tcp, http, "
	 "https or heartbeat, not by udp"},
	{TCP("{type: tcp, no-answer: up}"),
	 "f:5: check: no-answer is for udp, and the type of this check "
	 "is tcp"},
	{TCP("{path: /, send: x}"),
	 "f:5: check: path is for http or https, and the type of this "
	 "check is tcp"},
	{UDP("{body: x}"), "f:6: check: a service of udp is checked "
			   "by udp or heartbeat, not by http"},
	{UDP("{type: udp, no-answer: good}"),
	 "f:6: no-answer \"good\": must be down or up"},
	{UDP("{type: udp, silence: good}"),
	 "f:6: key \"silence\" is now \"no-answer\", which must be "
	 "down or up"},
	{UDP("{type: udp, application-port: 53}"),
	 "f:6: check: application-port is for tcp or http or https, "
	 "and the type of this check is udp"},
	{TCP("{application-port: 80}"),
	 "f:5: check: application-port 80 of 198.51.100.1 is restored "
	 "by rewrite for the service on line 2; take a port that is "
	 "no service's"},
	{SERVICE("port: any\n  check: {port: 80, application-port: "
		 "8080}"),
	 "f:5: check: application-port 8080 of 198.51.100.1"},
	{TCP("{application-port: 8080}\n"
	     "- {vip: 192.0.2.2, port: 8080, forward: ipip, backends: "
	     "[{address: 198.51.100.1}]}\n"
	     "- {vip: 192.0.2.3, port: 8080, backends: "
	     "[{address: 198.51.100.1}]}\n"
	     "lb-sources: [10.0.0.0/8]"),
	 "f:5: check: application-port 8080 of 198.51.100.1 is "
	 "restored by rewrite for the service on line 7"},
	{TCP("{interval: 2s, timeout: 1001ms}"),
	 "f:5: check: timeout must be at most half of interval, which "
	 "is 2000ms"},
	{TCP("{type: http, path: x}"), "f:5: check: path must begin with /"},
	{TCP("{}\n  on-all-down: last"),
	 "f:6: on-all-down \"last\": must be all or drop or pass; "
	 "\"last\" is now \"all\""},
	{TCP("{}\n  on-down: drop"),
	 "f:6: on-down \"drop\": must be keep or move"},
	{TCP("{path: ''}"), "f:5: path \"\": must be 1 to 127 "
			    "printable ASCII characters"},
	{TCP("{host: \"a\\r\\nb\"}"),
	 "f:5: host \"a\\x0d\\x0ab\": must be 0 to 127 printable"},
	{TCP("{host: " A32 A32 A32 A32 "}"), "f:5: host \"abcdef"},
	{TCP("{status: 99}"),
	 "f:5: status \"99\": must be a number from 100 to 599 or ok"},
};

static void check_is_refused(void **state)
{
	struct config config;
	char why[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		*why = '\0';
		if (!parse(refused[i].text, &config, why, sizeof(why)))
			fail_msg("taken: %s", refused[i].text);
		if (strncmp(why, refused[i].why, strlen(refused[i].why)))
			fail_msg("%s\nis not\n%s", why, refused[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_is_read),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(application_is_apart),
		cmocka_unit_test(keys_are_for_types),
		cmocka_unit_test(type_follows_its_keys),
		cmocka_unit_test(check_is_refused),
	};

	return RUN("checks", tests);
}
