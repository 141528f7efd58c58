// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_config_refused.c - files that are none: what is not YAML, keys and
 * shapes that are not the file's, what cannot be read
 *
 * The number of the line, the user's words and what is allowed are what the
 * user has to go by, so all of it is compared.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/unit/refused.h"

#define FILE_KEYS                                                              \
	"services, unmatched, claim, flow-table-size, handshake-grace, "       \
	"udp-idle, "                                                           \
	"grace, drain-timeout, next-hop-age, insert-limit, icmp-error-limit, " \
	"second-chance-limit, advmss, "                                        \
	"outer-source, nat-source, nat-first-port, nat-table-size, "           \
	"lb-sources, "                                                         \
	"release-to, announce, "                                               \
	"heartbeat-to, heartbeat-port, heartbeat-interval, "                   \
	"heartbeat-network, heartbeat-clock"
#define SERVICE_KEYS                                                           \
	"vip, port, protocol, scheduler, threads, release, release-key, "      \
	"lease, queue, load-balancers, forward, dscp, checksum, "              \
	"table-size, fragments, check, "                                       \
	"on-down, on-all-down, minimum-up, flows, second-chance, was, "        \
	"backends"
#define BACKEND_KEYS                                                           \
	"address, port, weight, weight-before, state, mtu, restore, drain"
#define PORT "must be a number from 1 to 65535 or any"

static const struct refused_text not_yaml[] = {
	{"", ":1: the file is empty; a list of services is required"},
	{"# a\n\n# b\n",
	 ":1: the file is empty; a list of services is required"},
	{"\xef\xbb\xbf",
	 ":1: the file is empty; a list of services is required"},
	{"---\n---\n", ":2: a second document begins here; a file holds one "
		       "document"},
	{SERVICE "...\n" SERVICE, ":7: not YAML: did not find expected "
				  "<document start>"},
	{SERVICE "---\n" SERVICE, ":6: a second document begins here; a file "
				  "holds one document"},
	{SERVICE "--- # nothing\n", ":6: a second document begins here; a "
				    "file holds one document"},
	{VIP "  port: &p 80\n" BACKENDS,
	 ":3: anchor \"p\": not allowed here; write the value itself"},
	{VIP "  port: *p\n" BACKENDS,
	 ":3: alias \"p\": not allowed here; write the value itself"},
	{VIP "  port: !!int 80\n" BACKENDS,
	 ":3: tag \"int\": not allowed here; write the value itself"},
	{VIP "  port: !port 80\n" BACKENDS,
	 ":3: tag \"port\": not allowed here; write the value itself"},
	{VIP "  port: ! 80\n" BACKENDS,
	 ":3: tag \"!\": not allowed here; write the value itself"},
	{"a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n",
	 ":1: lists and mappings inside each other: at most 16 levels"},
	{"services: [\n", ":2: not YAML: did not find expected node content "
			  "while parsing a flow node that began on line 2"},
	{VIP "\tport: 80\n", ":3: not YAML: found a tab character that "
			     "violates indentation while scanning a plain "
			     "scalar that began on line 2"},
	{VIP "  port: \xff\n",
	 ":3: not YAML in UTF-8: invalid leading UTF-8 octet"},
	{"lorem ipsum", ":1: file \"lorem ipsum\": must be a mapping of the "
			"keys " FILE_KEYS},
	{"- services\n",
	 ":1: file: must be a mapping of the keys " FILE_KEYS ", not a list"},
};

static const struct refused_text wrong_keys[] = {
	{SERVICE "bakends: 1\n",
	 ":6: unknown key \"bakends\"; a file has the keys " FILE_KEYS},
	{HEAD "  bakends: 1\n",
	 ":4: unknown key \"bakends\"; did you mean "
	 "\"backends\"? A service has the keys " SERVICE_KEYS},
	{HEAD "  Table_Size: 1\n", ":4: unknown key \"Table_Size\"; did you "
				   "mean \"table-size\"? A service has the "
				   "keys " SERVICE_KEYS},
	{HEAD "  weight: 1\n", ":4: key \"weight\" belongs in a backend; a "
			       "service has the keys " SERVICE_KEYS},
	{SERVICE "    wait: 1\n", ":6: unknown key \"wait\"; a backend has the "
				  "keys " BACKEND_KEYS},
	{HEAD "  zzzzz: 1\n",
	 ":4: unknown key \"zzzzz\"; a service has the keys " SERVICE_KEYS},
	{HEAD "  <<: 1\n",
	 ":4: unknown key \"<<\"; a service has the keys " SERVICE_KEYS},
	{"\"serv\\0\": 1\n",
	 ":1: unknown key \"serv\\x00\"; a file has the keys " FILE_KEYS},
	{"\"\\e[31m\\n\\x9b\": 1\n",
	 ":1: unknown key \"\\x1b[31m\\x0a\\xc2\\x9b\"; a file has the "
	 "keys " FILE_KEYS},
	{"0123456789012345678901234567890123456789"
	 "0123456789012345678901234567890123456789: 1\n",
	 ":1: unknown key \"0123456789012345678901234567890123456789"
	 "01234567890123456789012345678901234...\"; a file has the "
	 "keys " FILE_KEYS},
	{"? [a]\n: 1\n", ":1: key: must be a word, not a list"},
	{HEAD BACKENDS "  port: 81\n",
	 ":6: key \"port\" is repeated; the first is on line 3"},
	{SERVICE "services: []\n",
	 ":6: key \"services\" is repeated; the first is on line 1"},
	{"unmatched: drop\n", ":1: file without the key \"services\", which "
			      "is required: a list of 1 to 4096 services"},
	{"services:\n- port: 80\n" BACKENDS,
	 ":2: service without the key \"vip\", which is required: an IPv4 or "
	 "IPv6 unicast address"},
	{VIP BACKENDS, ":2: service without the key \"port\", which is "
		       "required: a number from 1 to 65535 or any"},
	{HEAD, ":2: service without the key \"backends\", which is required: a "
	       "list of 1 to 8192 backends"},
	{HEAD "  backends:\n  - weight: 1\n",
	 ":5: backend without the key \"address\", which is required: an IPv4 "
	 "or IPv6 unicast address"},
};

static const struct refused_text wrong_shapes[] = {
	{"services: 5\n",
	 ":1: services \"5\": must be a list of 1 to 4096 services"},
	{"services:\nunmatched: drop\n",
	 ":1: services \"\": must be a list of 1 to 4096 services"},
	{"services: {a: 1}\n",
	 ":1: services: must be a list of 1 to 4096 services, not a mapping"},
	{"services: []\n",
	 ":1: services: must be a list of 1 to 4096 services, not empty"},
	{HEAD "  backends: []\n",
	 ":4: backends: must be a list of 1 to 8192 backends, not empty"},
	{"services:\n- tcp\n", ":2: service \"tcp\": must be a mapping of the "
			       "keys " SERVICE_KEYS},
	{HEAD "  backends:\n  - 198.51.100.1\n",
	 ":5: backend \"198.51.100.1\": must be a mapping of the "
	 "keys " BACKEND_KEYS},
	{VIP "  port: [80]\n" BACKENDS, ":3: port: " PORT ", not a list"},
	{VIP "  port: {a: 80}\n" BACKENDS, ":3: port: " PORT ", not a mapping"},
	{VIP "  port:\n" BACKENDS, ":3: port \"\": " PORT},
	{VIP "  ? port\n" BACKENDS, ":3: port \"\": " PORT},
};

REFUSES(not_yaml)
REFUSES(wrong_keys)
REFUSES(wrong_shapes)

/* Texts with a NUL in them. */
static void refuses_binary(void **state)
{
	(void)state;
	refuse_text("\xff\xfes\0e\0", 6,
		    ":1: not YAML in UTF-8: invalid leading UTF-8 octet");
	refuse_text("services:\n\0\n", 12,
		    ":2: not YAML in UTF-8: control characters are not "
		    "allowed");
}

static void refuse_path(const char *path, const char *expected)
{
	struct config config;
	char why[512] = "";

	assert_int_equal(config_read(path, &config, why, sizeof(why), NULL),
			 -1);
	assert_string_equal(why, expected);
}

static void refuses_unreadable(void **state)
{
	(void)state;
	refuse_path("/", "/: Is a directory");
	refuse_path("/dev/null/x", "/dev/null/x: Not a directory");
	refuse_path("no-such.yaml", "no-such.yaml: No such file or directory");
	refuse_path("/dev/zero", "/dev/zero: larger than 4 MiB");
	refuse_path("/dev/null", "/dev/null:1: the file is empty; a list of "
				 "services is required");
}

/* A caller's short buffer is cut, ended and not overrun. */
static void cuts_the_reason(void **state)
{
	(void)state;
	for (size_t size = 1; size < 40; size++) {
		struct config config;
		char *why = malloc(size);

		assert_int_equal(config_parse("f.yaml", "a: 1", 4, &config, why,
					      size, NULL),
				 -1);
		assert_int_equal(strlen(why), size - 1);
		free(why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_not_yaml),
		cmocka_unit_test(refuses_wrong_keys),
		cmocka_unit_test(refuses_wrong_shapes),
		cmocka_unit_test(refuses_binary),
		cmocka_unit_test(refuses_unreadable),
		cmocka_unit_test(cuts_the_reason),
	};

	return RUN("config refused", tests);
}
