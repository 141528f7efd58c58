// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_nft.c - what the host's firewall does with a service's packets
 *
 * The rules are written as `nft -j list ruleset` of nftables 1.0.6 prints them,
 * each behind the line that it was made from.
 */
#include <netinet/in.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/doctor/nft.h"
#include "tests/unit/unit.h"

#define ACCEPT "{\"accept\":null}"
#define DROP   "{\"drop\":null}"
#define MATCH(op, left, right)                                                 \
	"{\"match\":{\"op\":\"" op "\",\"left\":" left ",\"right\":" right "}" \
	"}"
#define PAYLOAD(protocol, field)                                               \
	"{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}" \
	"}"
#define DPORT(right) MATCH("==", PAYLOAD("tcp", "dport"), right)
#define META(key)    "{\"meta\":{\"key\":\"" key "\"}}"
#define STATE(right) MATCH("in", "{\"ct\":{\"key\":\"state\"}}", right)
#define LIMIT	     "{\"limit\":{\"rate\":10,\"burst\":5,\"per\":\"second\"}}"
#define COUNTER	     "{\"counter\":{\"packets\":0,\"bytes\":0}}"

#define MOST 5

/* A packet to 192.0.2.80:80/tcp, in the chain `in` of the hook input. */
static const struct {
	const char *policy;
	enum nft_verdict verdict;
	const char *in[MOST],
		*other[MOST]; /* rules, and those of chain `other` */
} rows[] = {
	{"accept", NFT_ACCEPTS, {}, {}},
	{"drop", NFT_DROPS, {}, {}},
	/* packets that it is about, and packets that it is not about */
	{"drop", NFT_ACCEPTS, {ACCEPT}, {}},
	{"drop", NFT_ACCEPTS, {DPORT("80") "," COUNTER "," ACCEPT}, {}},
	{"drop", NFT_DROPS, {DPORT("22") "," ACCEPT}, {}},
	{"drop",
	 NFT_ACCEPTS,
	 {DPORT("{\"set\":[22,{\"range\":[80,90]}]}") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {DPORT("{\"set\":[{\"elem\":{\"val\":80,\"comment\":\"web\"}}]}") "," ACCEPT},
	 {}},
	{"accept",
	 NFT_ACCEPTS,
	 {MATCH("!=", PAYLOAD("tcp", "dport"), "80") "," DROP},
	 {}},
	{"accept",
	 NFT_DROPS,
	 {MATCH("<", PAYLOAD("tcp", "dport"), "1024") "," DROP},
	 {}},
	{"accept",
	 NFT_ACCEPTS,
	 {MATCH("==", PAYLOAD("udp", "dport"), "80") "," DROP},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {MATCH("==", PAYLOAD("th", "dport"), "80") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {MATCH("==", PAYLOAD("ip", "daddr"),
		"\"192.0.2.80\"") "," DPORT("80") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {MATCH("==", PAYLOAD("ip", "daddr"),
		"{\"prefix\":{\"addr\":\"192.0.2.0\",\"len\":24}}") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_DROPS,
	 {MATCH("==", PAYLOAD("ip", "daddr"),
		"{\"range\":[\"192.0.2.1\",\"192.0.2.79\"]}") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_DROPS,
	 {MATCH("==", PAYLOAD("ip6", "daddr"), "\"2001:db8::1\"") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_DROPS,
	 {MATCH("==", PAYLOAD("icmp", "type"), "\"echo-request\"") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {MATCH("==", META("l4proto"),
		"{\"set\":[\"tcp\",\"udp\"]}") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {MATCH("==", META("l4proto"), "6") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_DROPS,
	 {MATCH("==", META("nfproto"), "\"ipv6\"") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_DROPS,
	 {MATCH("==", META("iif"), "\"lo\"") "," ACCEPT},
	 {}},
	/* only a connection's first packet */
	{"drop",
	 NFT_DROPS,
	 {STATE("[\"established\",\"related\"]") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_ACCEPTS,
	 {STATE("\"invalid\"") "," DROP,
	  DPORT("80") "," STATE("\"new\"") "," ACCEPT},
	 {}},
	/* conditions that are neither always nor never true */
	{"drop", NFT_MAY_DROP, {LIMIT "," ACCEPT}, {}},
	{"accept", NFT_MAY_DROP, {LIMIT "," DROP}, {}},
	{"accept", NFT_ACCEPTS, {LIMIT "," ACCEPT}, {}},
	{"drop", NFT_ACCEPTS, {LIMIT "," ACCEPT, DPORT("80") "," ACCEPT}, {}},
	{"drop", NFT_DROPS, {LIMIT "," DROP, DROP}, {}},
	{"accept",
	 NFT_MAY_DROP,
	 {"{\"quota\":{\"val\":10,\"val_unit\":\"mbytes\",\"inv\":true}}"
	  "," DROP},
	 {}},
	{"accept",
	 NFT_MAY_DROP,
	 {DPORT("80") ",{\"ct "
		      "count\":{\"val\":10,\"inv\":true}},{\"reject\":{"
		      "\"type\":\"icmpx\","
		      "\"expr\":\"port-unreachable\"}}"},
	 {}},
	{"accept",
	 NFT_MAY_DROP,
	 {DPORT("80") ",{\"set\":{\"op\":\"add\",\"elem\":" PAYLOAD(
		 "ip", "saddr") ",\"set\":\"@bad\",\"stmt\":[" LIMIT
				"]}}," DROP},
	 {}},
	{"accept",
	 NFT_MAY_DROP,
	 {MATCH("==", PAYLOAD("ip", "saddr"), "\"@bad\"") "," DROP},
	 {}},
	{"accept",
	 NFT_MAY_DROP,
	 {MATCH("<",
		"{\"numgen\":{\"mode\":\"random\",\"mod\":10,\"offset\":0}}",
		"5") "," DROP},
	 {}},
	{"drop",
	 NFT_MAY_DROP,
	 {MATCH("==", "{\"fib\":{\"result\":\"type\",\"flags\":[\"daddr\"]}}",
		"\"local\"") "," ACCEPT},
	 {}},
	{"drop",
	 NFT_MAY_DROP,
	 {MATCH("==",
		"{\"concat\":[" PAYLOAD("ip", "daddr") "," PAYLOAD(
			"tcp", "dport") "]}",
		"{\"set\":[{\"concat\":[\"192.0.2.80\",80]}]}") "," ACCEPT},
	 {}},
	{"drop", NFT_MAY_DROP, {"{\"of a later nftables\":1}," ACCEPT}, {}},
	{"drop", NFT_MAY_DROP, {"{\"xt\":null}"}, {}},
	{"drop", NFT_MAY_DROP, {DPORT("80") ",{\"queue\":{\"num\":0}}"}, {}},
	{"drop",
	 NFT_DROPS,
	 {"{\"mangle\":{\"key\":" META("mark") ",\"value\":5}}"},
	 {}},
	/* maps of verdicts */
	{"accept",
	 NFT_ACCEPTS,
	 {"{\"vmap\":{\"key\":{\"ct\":{\"key\":\"state\"}},\"data\":{\"set\":[["
	  "\"invalid\"," DROP "],[\"established\"," ACCEPT "]]}}}"},
	 {}},
	{"accept",
	 NFT_DROPS,
	 {"{\"vmap\":{\"key\":" PAYLOAD(
		 "tcp", "dport") ",\"data\":{\"set\":[[22," ACCEPT "],[80," DROP
				 "]]}}}"},
	 {}},
	{"accept",
	 NFT_MAY_DROP,
	 {"{\"vmap\":{\"key\":" PAYLOAD("tcp",
					"dport") ",\"data\":\"@ports\"}}"},
	 {}},
	/* other chains */
	{"drop",
	 NFT_ACCEPTS,
	 {"{\"jump\":{\"target\":\"other\"}}"},
	 {DPORT("80") "," ACCEPT}},
	{"accept",
	 NFT_DROPS,
	 {"{\"goto\":{\"target\":\"other\"}}", ACCEPT},
	 {DROP}},
	{"drop",
	 NFT_DROPS,
	 {"{\"goto\":{\"target\":\"other\"}}", ACCEPT},
	 {"{\"return\":null}", ACCEPT}},
	{"drop",
	 NFT_ACCEPTS,
	 {"{\"jump\":{\"target\":\"other\"}}", ACCEPT},
	 {"{\"return\":null}", DROP}},
	{"accept",
	 NFT_MAY_DROP,
	 {LIMIT ",{\"jump\":{\"target\":\"other\"}}"},
	 {DROP}},
	{"accept",
	 NFT_MAY_DROP,
	 {"{\"jump\":{\"target\":\"other\"}}"},
	 {"{\"jump\":{\"target\":\"other\"}}"}},
};

static void rules_add(json_t *objects, const char *chain,
		      const char *const expressions[])
{
	char text[1024];
	json_t *rule;
	int i;

	for (i = 0; i < MOST && expressions[i]; i++) {
		snprintf(text, sizeof(text),
			 "{\"rule\":{\"family\":\"inet\",\"table\":\"t\","
			 "\"chain\":\"%s\",\"handle\":%d,\"expr\":[%s]}}",
			 chain, i, expressions[i]);
		rule = json_loads(text, 0, NULL);
		assert_non_null(rule);
		json_array_append_new(objects, rule);
	}
}

static void verdicts(void **state)
{
	struct nft_packet packet = {.port = 80, .protocol = "tcp"};
	json_t *objects, *chain;
	const json_t *by;
	size_t i;

	(void)state;
	assert_false(addr_parse("192.0.2.80", &packet.to));
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		objects = json_array();
		chain = json_pack("{s:s, s:s, s:s, s:s}", "family", "inet",
				  "table", "t", "name", "in", "policy",
				  rows[i].policy);
		rules_add(objects, "in", rows[i].in);
		rules_add(objects, "other", rows[i].other);
		if (nft_verdict(objects, chain, &packet, &by) !=
		    rows[i].verdict)
			print_message("row %zu\n", i);
		assert_int_equal(nft_verdict(objects, chain, &packet, &by),
				 rows[i].verdict);
		json_decref(objects);
		json_decref(chain);
	}
}

/* At a load balancer, conntrack may call any packet invalid. */
static void forwarded(void **state)
{
	struct nft_packet packet = {
		.port = 80, .protocol = "tcp", .may_be_invalid = true};
	const char *const rules[MOST] = {STATE("\"new\"") "," ACCEPT};
	json_t *objects = json_array(), *chain;
	const json_t *by;

	(void)state;
	chain = json_pack("{s:s, s:s, s:s, s:s}", "family", "inet", "table",
			  "t", "name", "in", "policy", "drop");
	rules_add(objects, "in", rules);
	assert_int_equal(nft_verdict(objects, chain, &packet, &by),
			 NFT_MAY_DROP);
	packet.may_be_invalid = false;
	assert_int_equal(nft_verdict(objects, chain, &packet, &by),
			 NFT_ACCEPTS);
	json_decref(objects);
	json_decref(chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
