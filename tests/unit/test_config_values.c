// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_config_values.c - values that a key cannot have, and services that
 * cannot be in one file
 */
#include <string.h>

#include "tests/unit/refused.h"

#define NEXT(vip, port, protocol, backend)                                     \
	"- {vip: " vip ", port: " port ", protocol: " protocol                 \
	", backends: [{address: " backend "}]}\n"
#define ADDRESS	  "must be an IPv4 or IPv6 unicast address"
#define PORT	  "must be a number from 1 to 65535 or any"
#define WITH_UNIT ", with its unit (ms, s, min or h)"

#define FLOWS_NEED                                                             \
	":2: flows: second-chance is for tcp, with maglev or source-hash (by " \
	"@encapsulating, to backends of one family); the others need "         \
	"remember"

#define WAS_NEEDS                                                              \
	":4: was: only of a service whose backends can look for flows at "     \
	"each other: for tcp, with maglev or source-hash (by "                 \
	"@encapsulating, to backends of one family)"

static const struct refused_text wrong_values[] = {
	{VIP "  port: 70000\n", ":3: port \"70000\": " PORT},
	{VIP "  port: 65536\n", ":3: port \"65536\": " PORT},
	{VIP "  port: 0\n", ":3: port \"0\": " PORT},
	{VIP "  port: http\n", ":3: port \"http\": " PORT},
	{VIP "  port: Any\n", ":3: port \"Any\": " PORT},
	{VIP "  port: -1\n", ":3: port \"-1\": " PORT},
	{VIP "  port: 080\n", ":3: port \"080\": " PORT},
	{VIP "  port: 0x50\n", ":3: port \"0x50\": " PORT},
	{VIP "  port: 8_0\n", ":3: port \"8_0\": " PORT},
	{VIP "  port: 80.0\n", ":3: port \"80.0\": " PORT},
	{VIP "  port: \"80 \"\n", ":3: port \"80 \": " PORT},
	{VIP "  port: \"80\\0\"\n", ":3: port \"80\\x00\": " PORT},
	{VIP "  port: |\n    80\n", ":3: port \"80\\x0a\": " PORT},
	{VIP "  port: 18446744073709551696\n",
	 ":3: port \"18446744073709551696\": " PORT},
	{VIP "  port:\n    70000\n", ":4: port \"70000\": " PORT},
	{VIP "  protocol: sctp\n", ":3: protocol \"sctp\": must be tcp or udp"},
	{VIP "  protocol: TCP\n", ":3: protocol \"TCP\": must be tcp or udp"},
	{VIP "  scheduler: rr\n",
	 ":3: scheduler \"rr\": must be maglev or random or "
	 "round-robin or source-hash or workers"},
	{VIP "  forward: gue\n", ":3: forward \"gue\": must be @all"},
	{VIP "  table-size: 65536\n", ":3: table-size \"65536\": must be a "
				      "prime from 251 to 131071; the nearest "
				      "is 65537"},
	{VIP "  table-size: 250\n", ":3: table-size \"250\": must be a prime "
				    "from 251 to 131071; the nearest is 251"},
	{VIP "  table-size: 131072\n",
	 ":3: table-size \"131072\": must be a prime from 251 to 131071; the "
	 "nearest is 131071"},
	{VIP "  table-size: 252\n", ":3: table-size \"252\": must be a prime "
				    "from 251 to 131071; the nearest is 251"},
	{VIP "  table-size: 254\n", ":3: table-size \"254\": must be a prime "
				    "from 251 to 131071; the nearest is 257"},
	{"unmatched: reject\n",
	 ":1: unmatched \"reject\": must be local or drop or pass"},
	{"handshake-grace: 3\n", ":1: handshake-grace \"3\": must be a "
				 "duration from 0s to 1min" WITH_UNIT},
	{"handshake-grace: 61s\n", ":1: handshake-grace \"61s\": must be a "
				   "duration from 0s to 1min" WITH_UNIT},
	{"handshake-grace: 60001ms\n",
	 ":1: handshake-grace \"60001ms\": must "
	 "be a duration from 0s to 1min" WITH_UNIT},
	{"udp-idle: 999ms\n", ":1: udp-idle \"999ms\": must be a duration "
			      "from 1s to 24h" WITH_UNIT},
	{"grace: 25h\n",
	 ":1: grace \"25h\": must be a duration from 0s to 24h" WITH_UNIT},
	{"grace: 1d\n",
	 ":1: grace \"1d\": must be a duration from 0s to 24h" WITH_UNIT},
	{"grace: s\n",
	 ":1: grace \"s\": must be a duration from 0s to 24h" WITH_UNIT},
	{"grace: 1.5h\n",
	 ":1: grace \"1.5h\": must be a duration from 0s to 24h" WITH_UNIT},
	{"flow-table-size: 0\n", ":1: flow-table-size \"0\": must be a number "
				 "from 1 to 16777216"},
	{"flow-table-size: 16777217\n", ":1: flow-table-size \"16777217\": "
					"must be a number from 1 to 16777216"},
	{"insert-limit: 10000001\n", ":1: insert-limit \"10000001\": must be "
				     "a number from 1 to 10000000"},
	{SERVICE "    weight: 0\n",
	 ":6: weight \"0\": must be a number from 1 to 1000"},
	{SERVICE "    weight: 1001\n",
	 ":6: weight \"1001\": must be a number from 1 to 1000"},
	{HEAD "  fragments: address\n" BACKENDS,
	 ":4: fragments \"address\": must be by-id or by-address"},
	{SERVICE "    mtu: 575\n",
	 ":6: mtu \"575\": must be a number from 576 to 65535 or route"},
	{SERVICE "    mtu: 65536\n",
	 ":6: mtu \"65536\": must be a number from 576 to 65535 or route"},
	{"icmp-error-limit: 1000001\n", ":1: icmp-error-limit \"1000001\": "
					"must be a number from 0 to 1000000"},
	{"answer-limit: 1000\n",
	 ":1: key \"answer-limit\" is now \"icmp-error-limit\", which must be "
	 "a number from 0 to 1000000"},
	{"second-chance-limit: 0\n", ":1: second-chance-limit \"0\": must be "
				     "a number from 1 to 10000000"},
	{SERVICE "    weight-before: 0\n",
	 ":6: weight-before \"0\": must be a number from 1 to 1000 or weight"},
	{SERVICE "    state: new\n",
	 ":6: state \"new\": must be filling or active or draining"},
	{SERVICE "    drain: false\n    state: draining\n",
	 ":7: state: drain on line 6 says the same thing; leave one of them "
	 "out"},
	{SERVICE "    weight-before: 3\n    state: filling\n",
	 ":5: backend 198.51.100.1: weight-before is for one that is active: "
	 "one that fills or drains has two weights already"},
	{SERVICE "    weight-before: 3\n    drain: true\n",
	 ":5: backend 198.51.100.1: weight-before is for one that is active: "
	 "one that fills or drains has two weights already"},
	{HEAD "  flows: forget\n" BACKENDS,
	 ":4: flows \"forget\": must be remember or second-chance"},
	{HEAD "  flows: second-chance\n  protocol: udp\n" BACKENDS, FLOWS_NEED},
	{HEAD "  flows: second-chance\n  scheduler: random\n" BACKENDS,
	 FLOWS_NEED},
	{HEAD "  flows: second-chance\n  scheduler: round-robin\n" BACKENDS,
	 FLOWS_NEED},
	{HEAD "  flows: second-chance\n  on-all-down: pass\n" BACKENDS,
	 ":2: flows: second-chance: on-all-down may be all or drop; pass needs "
	 "remember"},
	{HEAD "  flows: second-chance\n  backends:\n"
	      "  - {address: 198.51.100.1, drain: true}\n"
	      "  - {address: 198.51.100.2, drain: true}\n"
	      "  - {address: 198.51.100.3, drain: true}\n"
	      "  - {address: 198.51.100.4, drain: true}\n",
	 ":9: backend 198.51.100.4: at most 3 of a service may be in "
	 "transition "
	 "(filling, draining, weight-before; its table: was), and "
	 "198.51.100.1, 198.51.100.2 and 198.51.100.3 already are; wait until "
	 "one is done"},
	{HEAD "  was: {table-size: 251}\n  backends:\n"
	      "  - {address: 198.51.100.1, drain: true}\n"
	      "  - {address: 198.51.100.2, drain: true}\n"
	      "  - {address: 198.51.100.3, drain: true}\n",
	 ":8: backend 198.51.100.3: at most 3 of a service may be in "
	 "transition "
	 "(filling, draining, weight-before; its table: was), and its table, "
	 "198.51.100.1 and 198.51.100.2 already are; wait until one is done"},
	{HEAD "  was: {scheduler: random}\n" BACKENDS,
	 ":4: scheduler \"random\": must be maglev or source-hash or service"},
	{HEAD "  was: {table-size: 252}\n" BACKENDS,
	 ":4: table-size \"252\": must be a prime from 251 to 131071 or "
	 "service; the nearest is 251"},
	{HEAD "  second-chance: never\n" BACKENDS,
	 ":4: second-chance \"never\": must be transition or always"},
	{HEAD "  second-chance: always\n  protocol: udp\n" BACKENDS,
	 ":2: second-chance: always: only of a service whose backends can look "
	 "for flows at each other: for tcp, with maglev or source-hash (by "
	 "@encapsulating, to backends of one family)"},
	{HEAD "  was: {flows: 1}\n" BACKENDS,
	 ":4: key \"flows\" belongs in a service; a former table has the "
	 "keys table-size, scheduler"},
	{HEAD "  was: {table-size: 251}\n  protocol: udp\n" BACKENDS,
	 WAS_NEEDS},
	{HEAD "  was: {table-size: 251}\n  scheduler: random\n" BACKENDS,
	 WAS_NEEDS},
	{SERVICE "    state: filling\n"
		 "  - {address: 198.51.100.2, weight-before: 2}\n"
		 "  - {address: 198.51.100.3}\n"
		 "  - {address: 198.51.100.4, drain: true}\n"
		 "  - {address: 198.51.100.5, state: draining}\n",
	 ":10: backend 198.51.100.5: at most 3 of a service may be in "
	 "transition "
	 "(filling, draining, weight-before; its table: was), and "
	 "198.51.100.1, 198.51.100.2 and 198.51.100.4 already are; wait until "
	 "one is done"},
	{SERVICE "    drain: yes\n",
	 ":6: drain \"yes\": must be true or false"},
};

#define BAD_VIP(vip, note)                                                     \
	{                                                                      \
		"services:\n- vip: \"" vip "\"\n",                             \
			":2: vip \"" vip "\": " ADDRESS note                   \
	}
#define BAD_BACKEND(address, note)                                             \
	{                                                                      \
		HEAD "  backends:\n  - address: \"" address "\"\n",            \
			":5: address \"" address "\": " ADDRESS note           \
	}

static const struct refused_text wrong_addresses[] = {
	BAD_VIP("", ""),
	BAD_VIP("192.0.2.300", ""),
	BAD_VIP("192.0.2.1/32", ""),
	BAD_VIP("192.0.2", ""),
	BAD_VIP("example.net", ""),
	BAD_VIP("2001:db8::1%eth0", ""),
	BAD_VIP("2001:db8:::1", ""),
	{"services:\n- vip: \"192.0.2.1\\0\"\n",
	 ":2: vip \"192.0.2.1\\x00\": " ADDRESS},
	BAD_VIP("0.0.0.0", "; this is the unspecified address"),
	BAD_VIP("::", "; this is the unspecified address"),
	BAD_VIP("127.0.0.1", "; this is a loopback address"),
	BAD_VIP("127.255.255.254", "; this is a loopback address"),
	BAD_VIP("::1", "; this is a loopback address"),
	BAD_VIP("169.254.1.1", "; this is a link-local address"),
	BAD_VIP("fe80::1", "; this is a link-local address"),
	BAD_VIP("febf::1", "; this is a link-local address"),
	BAD_VIP("224.0.0.1", "; this is a multicast address"),
	BAD_VIP("239.255.255.255", "; this is a multicast address"),
	BAD_VIP("ff02::1", "; this is a multicast address"),
	BAD_VIP("255.255.255.255", "; this is the broadcast address"),
	BAD_VIP("::ffff:192.0.2.1", "; write 192.0.2.1"),
	BAD_BACKEND("198.51.100", ""),
	BAD_BACKEND("0.0.0.0", "; this is the unspecified address"),
	BAD_BACKEND("127.0.0.1", "; this is a loopback address"),
	BAD_BACKEND("ff02::1", "; this is a multicast address"),
	BAD_BACKEND("::ffff:c633:6401", "; write 198.51.100.1"),
};

#define GIVE                                                                   \
	"; give one of them another port, another backend address, or a "      \
	"method that tells the VIP (forward: @keeping; @marking for both)"

static const struct refused_text conflicts[] = {
	{SERVICE NEXT("192.0.2.1", "80", "tcp", "198.51.100.2"),
	 ":6: service tcp 192.0.2.1 port 80 is repeated; the first is on line "
	 "2, and its backends belong there"},
	{"services:\n" NEXT("2001:db8:0::1", "any", "udp", "2001:db8:1::1")
		 NEXT("2001:DB8::1", "any", "udp", "2001:db8:1::2"),
	 ":3: service udp 2001:db8::1 port any is repeated; the first is on "
	 "line 2, and its backends belong there"},
	{SERVICE "  - address: 198.51.100.2\n  - address: 198.51.100.1\n",
	 ":7: backend 198.51.100.1 is repeated in this service; the first is "
	 "on line 5, where a weight gives it a larger share"},
	{HEAD "  backends:\n  - address: 2001:db8::1\n",
	 ":5: backend 2001:db8::1: must be an IPv4 address, as the VIP "
	 "192.0.2.1 is; rewrite cannot cross families, @crossing can"},
	{"services:\n" NEXT("2001:db8::1", "80", "tcp", "192.0.2.1"),
	 ":2: backend 192.0.2.1: must be an IPv6 address, as the VIP "
	 "2001:db8::1 is; rewrite cannot cross families, @crossing can"},
	{HEAD "  backends:\n  - address: 192.0.2.1\n",
	 ":5: backend 192.0.2.1: must not be a VIP, and the service on line 2 "
	 "has it"},
	{SERVICE NEXT("192.0.2.2", "81", "tcp", "192.0.2.1"),
	 ":6: backend 192.0.2.1: must not be a VIP, and the service on line 2 "
	 "has it"},
	{SERVICE NEXT("198.51.100.1", "9", "udp", "198.51.100.2"),
	 ":5: backend 198.51.100.1: must not be a VIP, and the service on line "
	 "6 has it"},
	{SERVICE NEXT("192.0.2.2", "80", "tcp", "198.51.100.1"),
	 ":6: backend 198.51.100.1 could not tell tcp 192.0.2.2 port 80 from "
	 "tcp 192.0.2.1 port 80 on line 5" GIVE},
	{SERVICE NEXT("192.0.2.2", "any", "tcp", "198.51.100.1"),
	 ":6: backend 198.51.100.1 could not tell tcp 192.0.2.2 port any from "
	 "tcp 192.0.2.1 port 80 on line 5" GIVE},
	{SERVICE NEXT("192.0.2.1", "any", "tcp", "198.51.100.1"),
	 ":6: backend 198.51.100.1 could not tell tcp 192.0.2.1 port any from "
	 "tcp 192.0.2.1 port 80 on line 5" GIVE},
	/* `any` conflicts with every port, not only with the next service's. */
	{"services:\n" NEXT("192.0.2.1", "any", "udp", "198.51.100.9")
		 NEXT("192.0.2.2", "80", "udp", "198.51.100.1")
			 NEXT("192.0.2.3", "81", "udp", "198.51.100.1")
				 NEXT("192.0.2.4", "82", "udp", "198.51.100.9"),
	 ":5: backend 198.51.100.9 could not tell udp 192.0.2.4 port 82 from "
	 "udp 192.0.2.1 port any on line 2" GIVE},
	{"services:\n" NEXT("192.0.2.1", "any", "udp", "198.51.100.9")
		 NEXT("192.0.2.2", "81", "udp", "198.51.100.9")
			 NEXT("192.0.2.3", "80", "udp", "198.51.100.9"),
	 ":3: backend 198.51.100.9 could not tell udp 192.0.2.2 port 81 from "
	 "udp 192.0.2.1 port any on line 2" GIVE},
	/* A service of another protocol in between makes no difference. */
	{SERVICE NEXT("192.0.2.1", "80", "udp", "198.51.100.1")
		 NEXT("192.0.2.2", "80", "tcp", "198.51.100.1"),
	 ":7: backend 198.51.100.1 could not tell tcp 192.0.2.2 port 80 from "
	 "tcp 192.0.2.1 port 80 on line 5" GIVE},
	{HEAD "  fragments: by-address\n" BACKENDS,
	 ":2: service tcp 192.0.2.1 port 80: fragments: by-address is for udp "
	 "only"},
	{HEAD "  protocol: udp\n  fragments: by-address\n" BACKENDS NEXT(
		 "192.0.2.1", "81", "udp", "198.51.100.1"),
	 ":2: service udp 192.0.2.1 port 80: fragments: by-address is for the "
	 "only udp service of a VIP, and udp 192.0.2.1 port 81 is on line 8"},
	{HEAD "  protocol: udp\n  fragments: by-address\n" BACKENDS NEXT(
		 "192.0.2.1", "any", "udp", "198.51.100.2"),
	 ":2: service udp 192.0.2.1 port 80: fragments: by-address is for the "
	 "only udp service of a VIP, and udp 192.0.2.1 port any is on line 8"},
	/*
	 * Of two conflicts, the one whose second service comes first in the
	 * file is reported, whatever the backend's address.
	 */
	{"services:\n" NEXT("192.0.2.1", "80", "tcp", "198.51.100.9")
		 NEXT("192.0.2.2", "80", "tcp", "198.51.100.9")
			 NEXT("192.0.2.3", "81", "tcp", "198.51.100.1")
				 NEXT("192.0.2.4", "81", "tcp", "198.51.100.1"),
	 ":3: backend 198.51.100.9 could not tell tcp 192.0.2.2 port 80 from "
	 "tcp 192.0.2.1 port 80 on line 2" GIVE},
};

REFUSES(wrong_values)
REFUSES(wrong_addresses)
REFUSES(conflicts)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_wrong_values),
		cmocka_unit_test(refuses_wrong_addresses),
		cmocka_unit_test(refuses_conflicts),
	};

	return RUN("config values", tests);
}
