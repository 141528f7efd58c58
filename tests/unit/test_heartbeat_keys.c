// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_heartbeat_keys.c - what heartbeats mean, and the file of their keys
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/heartbeat/keys.h"
#include "common/heartbeat/verdict.h"
#include "tests/unit/unit.h"

static void verdicts(void **state)
{
	struct heartbeat_verdict v;

	(void)state;
	heartbeat_verdict_begin(&v, HEARTBEATS_ALONE, FINDING_NONE);
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_UNKNOWN, "");
	assert_int_equal(v.finding, FINDING_NONE);
	/* The sender has counted: at once. */
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_GOOD, "");
	assert_int_equal(v.finding, FINDING_UP);
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_BAD, "status 503");
	assert_int_equal(v.finding, FINDING_APPLICATION_DOWN);
	assert_string_equal(v.why, "heartbeat: status 503");
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_GOOD, "");
	assert_int_equal(v.finding, FINDING_UP);
	assert_string_equal(v.why, "");
	/* A wrong clock is none. */
	heartbeat_verdict_clock(&v);
	assert_int_equal(v.finding, FINDING_UP);
	assert_string_equal(heartbeat_verdict_word(&v), "wrong-clock");
	/* After a silence, `rise`. */
	heartbeat_verdict_missed(&v, 15);
	assert_int_equal(v.finding, FINDING_APPLICATION_DOWN);
	assert_string_equal(v.why, "no heartbeat for 15 s");
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_GOOD, "");
	assert_int_equal(v.finding, FINDING_APPLICATION_DOWN);
	heartbeat_verdict_heard(&v, 2, HEARTBEAT_GOOD, "");
	assert_int_equal(v.finding, FINDING_UP);
}

/* A verdict that a file takes over is never one on the path. */
static void verdicts_begin(void **state)
{
	struct heartbeat_verdict v;

	(void)state;
	heartbeat_verdict_begin(&v, HEARTBEATS_ALONE, FINDING_PATH_DOWN);
	assert_int_equal(v.finding, FINDING_APPLICATION_DOWN);
	heartbeat_verdict_begin(&v, HEARTBEATS_BESIDE, FINDING_PATH_DOWN);
	assert_int_equal(v.finding, FINDING_NONE);
	heartbeat_verdict_begin(&v, HEARTBEATS_BESIDE,
				FINDING_APPLICATION_DOWN);
	assert_int_equal(v.finding, FINDING_APPLICATION_DOWN);
	heartbeat_verdict_begin(&v, HEARTBEATS_ALONE, FINDING_UP);
	assert_int_equal(v.finding, FINDING_UP);
	heartbeat_verdict_begin(&v, HEARTBEATS_NONE, FINDING_PATH_DOWN);
	assert_int_equal(v.finding, FINDING_NONE);
}

static void both_speak(void **state)
{
	static const struct {
		__u8 path, heartbeats, both;
	} rows[] = {
		{FINDING_NONE, FINDING_NONE, FINDING_NONE},
		{FINDING_UP, FINDING_NONE, FINDING_UP},
		{FINDING_NONE, FINDING_UP, FINDING_UP},
		{FINDING_UP, FINDING_APPLICATION_DOWN,
		 FINDING_APPLICATION_DOWN},
		{FINDING_APPLICATION_DOWN, FINDING_UP,
		 FINDING_APPLICATION_DOWN},
		{FINDING_PATH_DOWN, FINDING_UP, FINDING_PATH_DOWN},
		{FINDING_PATH_DOWN, FINDING_APPLICATION_DOWN,
		 FINDING_PATH_DOWN},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(heartbeat_join_findings(rows[i].path,
							 rows[i].heartbeats),
				 rows[i].both);
}

#define HEX                                                                    \
	"00112233445566778899aabbccddeeff"                                     \
	"00112233445566778899AABBCCDDEEFF"
#define LINE " a line is: ADDRESS[,ADDRESS]... KEY [KEY]"

static void keys_of_a_file(void **state)
{
	static const char text[] = "# x\n\n192.0.2.1,2001:db8::1 " HEX
				   "\n192.0.2.2\t" HEX " " HEX " # y\r\n";
	struct heartbeat_keys keys = {0};
	const struct heartbeat_key *found, *other;
	struct fault said;
	struct addr address;

	(void)state;
	assert_int_equal(
		heartbeat_keys_parse("k", text, strlen(text), &keys, &said), 0);
	assert_int_equal(keys.count, 3);
	addr_parse("2001:db8::1", &address);
	found = heartbeat_keys_find(&keys, &address);
	assert_non_null(found);
	assert_int_equal(found->keys[0][1], 0x11);
	assert_int_equal(found->keys[0][31], 0xff);
	assert_int_equal(found->count, 1);
	addr_parse("192.0.2.1", &address);
	other = heartbeat_keys_find(&keys, &address);
	assert_int_equal(other->line, found->line);
	addr_parse("192.0.2.2", &address);
	other = heartbeat_keys_find(&keys, &address);
	assert_int_not_equal(other->line, found->line);
	assert_int_equal(other->count, 2);
	addr_parse("192.0.2.3", &address);
	assert_null(heartbeat_keys_find(&keys, &address));
	heartbeat_keys_free(&keys);
}

static void keys_are_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"192.0.2.1\n", "k:1:" LINE},
		{"\n192.0.2.1 " HEX " " HEX " " HEX "\n", "k:2:" LINE},
		{"192.0.2.1 0011\n", "k:1: a key has 64 hexadecimal digits"},
		{"192.0.2.1 " HEX "0\n",
		 "k:1: a key has 64 hexadecimal digits"},
		{"web1 " HEX "\n",
		 "k:1: a line begins with an address, or several separated by "
		 "commas"},
		{"192.0.2.1 " HEX "\n192.0.2.2,"
		 "192.0.2.1 " HEX "\n",
		 "k:2: 192.0.2.1 has a key already, on line 1"},
	};
	struct heartbeat_keys keys = {0};
	struct fault said;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(heartbeat_keys_parse("k", rows[i].text,
						      strlen(rows[i].text),
						      &keys, &said),
				 -1);
		assert_string_equal(said.cause, rows[i].why);
		assert_null(strstr(said.cause, "0011223344"));
		assert_int_equal(keys.count, 0);
	}
}

static void others_may_not_read_it(void **state)
{
	char path[] = "/tmp/heartbeat.XXXXXX";
	static const char text[] = "192.0.2.1 " HEX "\n";
	struct heartbeat_keys keys = {0};
	struct fault said;
	int fd = mkstemp(path);
	mode_t mode;

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	for (mode = 0; mode < 0100; mode++) {
		fchmod(fd, 0600 | mode);
		assert_int_equal(heartbeat_keys_read(path, &keys, &said),
				 mode ? -1 : 0);
		if (mode)
			assert_non_null(strstr(said.cause, "others may read"));
	}
	assert_int_equal(keys.count, 1); /* those before are kept */
	unlink(path);
	assert_int_equal(heartbeat_keys_read(path, &keys, &said), -1);
	assert_non_null(strstr(said.hint, "openssl rand -hex 32"));
	heartbeat_keys_free(&keys);
	close(fd);
}

static void they_lie_beside_the_file(void **state)
{
	char path[HEARTBEAT_PATH];

	(void)state;
	assert_string_equal(heartbeat_keys_path("/etc/l3dsr/a.yaml", path),
			    "/etc/l3dsr/heartbeat.keys");
	assert_string_equal(heartbeat_keys_path("a.yaml", path),
			    "heartbeat.keys");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(verdicts_begin),
		cmocka_unit_test(both_speak),
		cmocka_unit_test(keys_of_a_file),
		cmocka_unit_test(keys_are_refused),
		cmocka_unit_test(others_may_not_read_it),
		cmocka_unit_test(they_lie_beside_the_file),
	};

	return RUN("heartbeats' keys and verdicts", tests);
}
