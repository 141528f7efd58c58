// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a forwarding method requires of the file, with what it may be combined,
 * and the note for whoever sets up the other end.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/config/config.h"
#include "common/config/keys.h"
#include "common/config/method_names.h"
#include "common/config/methods.h"
#include "common/core/abi_services.h"
#include "tests/unit/refuse.h"
#include "tests/unit/unit.h"

#define SOURCES "lb-sources: [203.0.113.0/24, '2001:db8:9::9']\n"
#define BEGIN	"services:\n"
/* A service in one line. */
#define ROW(vip, port, more, address)                                          \
	"- {vip: '" vip "', port: " port ", " more                             \
	"backends: [{address: '" address "'}]}\n"
#define NEAR	    "198.51.100.1"
#define DSCP(value) "forward: dscp, dscp: " value ", "

static const char *const accepted[] = {
	/* Both families, if the VIP stays inside or is not touched. */
	SOURCES BEGIN ROW("192.0.2.1", "80", "forward: ipip, ", "2001:db8::1"),
	SOURCES BEGIN ROW("2001:db8::1", "80", "forward: ipip, ", NEAR),
	BEGIN ROW("192.0.2.1", "80", "forward: l2, ", "2001:db8::1"),
	BEGIN ROW("2001:db8::1", "80", "forward: l2, ", NEAR),
	/* The VIP, or the mark, tells services apart. */
	SOURCES BEGIN ROW("192.0.2.1", "80", "forward: ipip, ", NEAR)
		ROW("192.0.2.2", "80", "forward: ipip, ", NEAR)
			ROW("192.0.2.3", "any", "forward: ipip, ", NEAR)
				ROW("192.0.2.4", "80", "", NEAR),
	BEGIN ROW("192.0.2.1", "80", "forward: l2, ", NEAR)
		ROW("192.0.2.2", "any", "forward: l2, ", NEAR)
			ROW("192.0.2.3", "any", "", NEAR),
	BEGIN ROW("192.0.2.1", "80", DSCP("1"), NEAR)
		ROW("192.0.2.2", "80", DSCP("2"), NEAR)
			ROW("192.0.2.3", "any", DSCP("63"), NEAR),
	BEGIN ROW("192.0.2.1", "80", DSCP("1"), NEAR) ROW("192.0.2.1", "any",
							  DSCP("1"), NEAR)
		ROW("192.0.2.1", "80", "protocol: udp, " DSCP("1"), NEAR),
	BEGIN ROW("192.0.2.1", "80", DSCP("1"), NEAR)
		ROW("192.0.2.2", "80", DSCP("1"), "198.51.100.2"),
	BEGIN ROW("192.0.2.1", "80", "checksum: update, ", NEAR),
	BEGIN ROW("192.0.2.1", "80", "checksum: update, " DSCP("7"), NEAR),
	"outer-source: [203.0.113.9, 2001:db8:9::/64]\n" SOURCES BEGIN ROW(
		"192.0.2.1", "80", "forward: ipip, ", NEAR),
};

#define PREFIX "must be an IPv4 or IPv6 unicast address or prefix"
#define APART                                                                  \
	"; give one of them another port, another backend address, or a "      \
	"method that tells the VIP (forward: @keeping; @marking for both)"
static const struct refused_text refused[] = {
	{BEGIN ROW("192.0.2.1", "80", "forward: ipip, ", NEAR),
	 ":2: forward ipip: only in a file with the key \"lb-sources\", of "
	 "which backends take such packets"},
	{BEGIN ROW("192.0.2.1", "80", "forward: dscp, ", NEAR),
	 ":2: service without the key \"dscp\", which forward: dscp requires: "
	 "a number from 1 to 63"},
	{BEGIN ROW("192.0.2.1", "80", "dscp: 5, ", NEAR),
	 ":2: dscp 5: only with forward: @marking, not with forward: rewrite"},
	{BEGIN ROW("192.0.2.1", "80", DSCP("0"), NEAR),
	 ":2: dscp \"0\": must be a number from 1 to 63 or none"},
	{BEGIN ROW("192.0.2.1", "80", DSCP("64"), NEAR),
	 ":2: dscp \"64\": must be a number from 1 to 63 or none"},
	{BEGIN ROW("192.0.2.1", "80", "forward: l2, checksum: update, ", NEAR),
	 ":2: checksum update: only with forward: @overwriting; l2 leaves "
	 "the VIP, and its checksum is true"},
	{BEGIN ROW("192.0.2.1", "80", DSCP("5"), "2001:db8::1"),
	 ":2: backend 2001:db8::1: must be an IPv4 address, as the VIP "
	 "192.0.2.1 is; dscp cannot cross families, @crossing can"},
	{BEGIN ROW("192.0.2.1", "80", DSCP("5"), NEAR)
		 ROW("192.0.2.2", "81", DSCP("5"), NEAR),
	 ":3: backend 198.51.100.1 could not tell VIP 192.0.2.2 from "
	 "192.0.2.1, on line 2, by dscp 5; give one of them another"},
	/* A client's packet may carry any mark. */
	{BEGIN ROW("192.0.2.1", "80", DSCP("5"), NEAR)
		 ROW("192.0.2.2", "80", "", NEAR),
	 ":3: backend 198.51.100.1 could not tell tcp 192.0.2.2 port 80 from "
	 "tcp 192.0.2.1 port 80 on line 2" APART},
	{BEGIN ROW("192.0.2.1", "any", DSCP("5"), NEAR)
		 ROW("192.0.2.3", "any", DSCP("6"), NEAR)
			 ROW("192.0.2.2", "80", "", NEAR),
	 ":4: backend 198.51.100.1 could not tell tcp 192.0.2.2 port 80 from "
	 "tcp 192.0.2.1 port any on line 2" APART},
	{SOURCES BEGIN ROW("192.0.2.1", "80", "", NEAR)
		 ROW("192.0.2.2", "80", "forward: ipip, ", NEAR)
			 ROW("192.0.2.3", "80", "", NEAR),
	 ":5: backend 198.51.100.1 could not tell tcp 192.0.2.3 port 80 from "
	 "tcp 192.0.2.1 port 80 on line 3" APART},
	{SOURCES BEGIN
	 "- {vip: 192.0.2.1, port: 80, forward: ipip, backends: "
	 "[{address: 198.51.100.1},\n {address: 198.51.100.1}]}\n",
	 ":4: backend 198.51.100.1 is repeated in this service; the first is "
	 "on line 3, where a weight gives it a larger share"},
	{"outer-source: [203.0.113.9, 203.0.113.8]\n" SOURCES BEGIN ROW(
		 "192.0.2.1", "80", "forward: ipip, ", NEAR),
	 ": outer-source: must be at most one of each family, not two of "
	 "IPv4"},
	{"outer-source: [203.0.113.9, 203.0.113.8, 203.0.113.7]\n",
	 ":1: outer-source: must be a list of 1 to 2 addresses or prefixes, "
	 "not 3"},
	{"lb-sources: []\n",
	 ":1: lb-sources: must be a list of 1 to 64 addresses or prefixes, not "
	 "empty"},
	{"lb-sources: 203.0.113.9\n",
	 ":1: lb-sources \"203.0.113.9\": must be a list of 1 to 64 addresses "
	 "or prefixes"},
	{"lb-sources:\n- [203.0.113.9]\n",
	 ":2: lb-sources: must be an address or a prefix, not a list"},
	{"lb-sources: [203.0.113.9/24]\n",
	 ":1: lb-sources \"203.0.113.9/24\": " PREFIX "; write 203.0.113.0/24"},
	{"lb-sources: ['2001:db8::1/64']\n",
	 ":1: lb-sources \"2001:db8::1/64\": " PREFIX "; write 2001:db8::/64"},
	{"lb-sources: [203.0.113.9/33]\n",
	 ":1: lb-sources \"203.0.113.9/33\": " PREFIX
	 "; its length is from 1 to 32"},
	{"lb-sources: [203.0.113.9/0]\n",
	 ":1: lb-sources \"203.0.113.9/0\": " PREFIX
	 "; its length is from 1 to 32"},
	{"lb-sources: [203.0.113.9/]\n",
	 ":1: lb-sources \"203.0.113.9/\": " PREFIX
	 "; its length is from 1 to 32"},
	{"lb-sources: [router/24]\n", ":1: lb-sources \"router/24\": " PREFIX},
};

/* The numbers are in maps, so they are part of the layout. */
static void rows(void **unused)
{
	static const struct method_row expected[] = {
		{"rewrite", RESTORED_BY_ADDRESS, 0, 0,
		 METHOD_ROUTED | METHOD_KERNEL},
		{"dscp", RESTORED_BY_MARK, 0, 0, METHOD_ROUTED | METHOD_KERNEL},
		{"ipip", RESTORED_BY_INNER, 20, 40,
		 METHOD_ROUTED | METHOD_CROSSES},
		{"l2", RESTORED_BY_VIP, 0, 0, METHOD_CROSSES},
		{"nat", RESTORED_BY_NOTHING, 0, 0,
		 METHOD_ROUTED | METHOD_RETURNS},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct method_row *row = &method_rows[i];

		assert_string_equal(row->name, expected[i].name);
		assert_int_equal(row->by, expected[i].by);
		assert_int_equal(row->ipv4, expected[i].ipv4);
		assert_int_equal(row->ipv6, expected[i].ipv6);
		assert_int_equal(row->traits, expected[i].traits);
	}
}

/* What the code asks about a method is what its row says. */
static void columns(void **unused)
{
	const struct addr ipv4 = {{0, 0, V4_MAPPED, bpf_htonl(1)}},
			  ipv6 = {{bpf_htonl(1)}};
	struct method method = {0};

	(void)unused;
	for (; method.forward < FORWARDS; method.forward++) {
		const struct method_row *row = &method_rows[method.forward];
		bool inner = row->by == RESTORED_BY_INNER;
		bool keeps = inner || row->by == RESTORED_BY_VIP;

		assert_int_equal(method_restored_by(&method), row->by);
		assert_int_equal(method_is_by_address(&method),
				 row->by == RESTORED_BY_ADDRESS);
		assert_int_equal(method_is_by_mark(&method),
				 row->by == RESTORED_BY_MARK);
		assert_int_equal(method_encapsulates(&method), inner);
		assert_int_equal(method_keeps_vip(&method), keeps);
		assert_int_equal(method_overwrites_vip(&method),
				 row->by == RESTORED_BY_ADDRESS ||
					 row->by == RESTORED_BY_MARK);
		assert_int_equal(method_is_restored(&method),
				 row->by != RESTORED_BY_NOTHING);
		assert_int_equal(!!method_returns(&method),
				 !!(row->traits & METHOD_RETURNS));
		assert_int_equal(!!method_is_routed(&method),
				 !!(row->traits & METHOD_ROUTED));
		assert_int_equal(!!method_is_for_kernel(&method),
				 !!(row->traits & METHOD_KERNEL));
		assert_int_equal(!!method_crosses(&method),
				 !!(row->traits & METHOD_CROSSES));
		assert_int_equal(method_overhead(&method, &ipv4), row->ipv4);
		assert_int_equal(method_overhead(&method, &ipv6), row->ipv6);
		assert_string_equal(method_name(&method), row->name);
	}
	/* What no row has. */
	for (; method.forward < 255; method.forward++) {
		assert_false(method_traits(&method));
		assert_false(method_overhead(&method, &ipv6));
		assert_string_equal(method_name(&method), "unknown");
	}
}

/* The names of methods in the help of keys. */
static void lists(void **unused)
{
	char text[METHODS_HELP], expected[512];
	size_t i;

	(void)unused;
	for (i = 0; i < key_count; i++) {
		methods_in_help(keys[i].help, text);
		assert_null(strchr(text, '@'));
	}
	methods_in_help("With @marking.", text);
	assert_memory_equal(text, "With `dscp`", 11);
	assert_string_equal(methods_in_help("", text), "");
	methods_in_help("@routed", text);
	assert_memory_equal(text, "`rewrite`, `dscp`", 17);
	assert_non_null(strstr(text, "` and `"));
	methods_in_help("of @overwriting and more", text);
	assert_null(strstr(text, "  "));
	methods_text(method_overwrites_vip, " or ", text);
	assert_string_equal(text, with_methods("@overwriting", expected));
	assert_memory_equal(text, "rewrite or dscp", 15);
}

static void accepts(void **unused)
{
	struct config config;
	char why[512];

	(void)unused;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(*accepted); i++) {
		if (config_parse("f.yaml", accepted[i], strlen(accepted[i]),
				 &config, why, sizeof(why), NULL))
			fail_msg("refused: %s\n%s", why, accepted[i]);
		config_free(&config);
	}
}

REFUSES(refused)

static void fills_in(void **unused)
{
	static const __u8 outer[] = {0x20, 0x01, 0x0d, 0xb8, 0, 9};
	static const __u8 from[] = {[10] = 0xff, 0xff, 203, 0, 113, 0};
	const char *text =
		"outer-source: [2001:db8:9::/64]\n" SOURCES BEGIN ROW(
			"192.0.2.1", "80", "checksum: update, " DSCP("46"),
			NEAR) ROW("192.0.2.1", "81", "", NEAR);
	struct config config;
	char why[512];

	(void)unused;
	assert_int_equal(config_parse("f.yaml", text, strlen(text), &config,
				      why, sizeof(why), NULL),
			 0);
	assert_int_equal(config.outer_source_count, 1);
	assert_int_equal(config.outer_sources[0].bits, 64);
	assert_memory_equal(&config.outer_sources[0].address, outer,
			    sizeof(outer));
	assert_int_equal(config.lb_source_count, 2);
	assert_int_equal(config.lb_sources[0].bits, 96 + 24);
	assert_memory_equal(&config.lb_sources[0].address, from, 16);
	assert_int_equal(config.lb_sources[1].bits, 128);
	assert_int_equal(config.services[0].method.forward, FORWARD_dscp);
	assert_int_equal(config.services[0].method.dscp, 46);
	assert_int_equal(config.services[0].method.checksum, CHECKSUM_UPDATE);
	assert_int_equal(config.services[1].method.forward, FORWARD_rewrite);
	assert_int_equal(config.services[1].method.dscp, 0);
	assert_int_equal(config.services[1].method.checksum, CHECKSUM_KEEP);
	config_free(&config);
}

/* Is there a note? */
static bool noted(const char *text)
{
	struct config config;
	char why[512], *said = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&said, &length);
	bool note;

	assert_int_equal(config_parse("f.yaml", text, strlen(text), &config,
				      why, sizeof(why), NULL),
			 0);
	methods_notes(&config, out);
	fclose(out);
	note = strstr(said, "f.yaml:3: note: checksum: keep");
	assert_int_equal(note, length > 0);
	free(said);
	config_free(&config);
	return note;
}

static void notes(void **unused)
{
	(void)unused;
	assert_true(noted(BEGIN ROW("192.0.2.1", "81", "", NEAR)
				  ROW("192.0.2.1", "80", DSCP("5"), NEAR)));
	assert_false(noted(BEGIN ROW("192.0.2.1", "81", "", NEAR) ROW(
		"192.0.2.1", "80", "checksum: update, " DSCP("5"), NEAR)));
}

/* Every method and both families at both ends: the least `mtu:` that is taken.
 */
static void least_mtu(void **unused)
{
	static const struct {
		const char *forward, *vip, *backend;
		unsigned int least;
	} rows[] = {
		{"rewrite", "192.0.2.1", NEAR, 576},
		{"rewrite", "2001:db8::1", "2001:db8::2", 1280},
		{"dscp, dscp: 5", "192.0.2.1", NEAR, 576},
		{"dscp, dscp: 5", "2001:db8::1", "2001:db8::2", 1280},
		{"ipip", "192.0.2.1", NEAR, 576},
		{"ipip", "192.0.2.1", "2001:db8::2", 1280},
		{"ipip", "2001:db8::1", NEAR, 1300},
		{"ipip", "2001:db8::1", "2001:db8::2", 1320},
		{"l2", "192.0.2.1", NEAR, 576},
		{"l2", "192.0.2.1", "2001:db8::2", 1280},
		{"l2", "2001:db8::1", NEAR, 1280},
		{"l2", "2001:db8::1", "2001:db8::2", 1280},
	};
	char text[400], wanted[400], why[512];
	struct config config;
	unsigned int mtu;

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		mtu = rows[i / 2].least - i % 2;
		if (mtu < 576) /* the key's own limit */
			continue;
		snprintf(text, sizeof(text),
			 SOURCES BEGIN
			 "- {vip: '%s', port: 80, forward: %s, "
			 "backends: [\n{address: '%s', mtu: %u}]}\n",
			 rows[i / 2].vip, rows[i / 2].forward,
			 rows[i / 2].backend, mtu);
		snprintf(wanted, sizeof(wanted),
			 "f.yaml:4: mtu %u of backend %s: must be at least %u: "
			 "every sender of IPv6 may count on 1280 bytes%s",
			 mtu, rows[i / 2].backend, rows[i / 2].least,
			 rows[i / 2].least > 1280 ? ", and the outer header of "
						    "ipip takes the rest"
						  : "");
		assert_int_equal(!!config_parse("f.yaml", text, strlen(text),
						&config, why, sizeof(why),
						NULL),
				 i % 2);
		if (i % 2)
			assert_string_equal(why, wanted);
		else
			config_free(&config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows),
		cmocka_unit_test(columns),
		cmocka_unit_test(lists),
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses_refused),
		cmocka_unit_test(fills_in),
		cmocka_unit_test(notes),
		cmocka_unit_test(least_mtu),
	};

	return RUN("methods", tests);
}
