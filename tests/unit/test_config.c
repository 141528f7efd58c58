// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_config.c - configuration files that are right
 *
 * Every field is compared, defaults too; every limit of a key is tried at both
 * edges (test_config_values.c has the steps beyond).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/config/keys.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "tests/unit/config_text.h"
#include "tests/unit/unit.h"

static void assert_address(const struct addr *addr, const char *expected)
{
	char text[INET6_ADDRSTRLEN];

	assert_string_equal(addr_text(addr, text), expected);
}

static void assert_backend(const struct config_backend *backend,
			   const char *address, int weight, bool drain,
			   unsigned int line)
{
	assert_address(&backend->address, address);
	assert_int_equal(backend->weight, weight);
	assert_int_equal(backend->drain, drain);
	assert_int_equal(backend->line, line);
}

static void fills_in_defaults(void **state)
{
	/* sha256sum of SERVICE, as config_write() has it */
	static const __u8 digest[32] = {
		0x19, 0x2d, 0x26, 0xca, 0xa6, 0x2a, 0x92, 0x9b,
		0x52, 0x8a, 0xba, 0x95, 0x01, 0x59, 0xe0, 0x25,
		0xae, 0x29, 0x71, 0x5c, 0xf7, 0xd4, 0x59, 0xcb,
		0xf5, 0xdb, 0xc2, 0x6e, 0x65, 0x19, 0x30, 0x4e};
	const struct config_service *service;
	struct config config;

	(void)state;
	parse_text(SERVICE, &config, NULL);
	assert_string_equal(config.path, "f.yaml");
	assert_memory_equal(config.digest, digest, sizeof(digest));
	assert_int_equal(config.unmatched, UNMATCHED_LOCAL);
	assert_int_equal(config.flow_table_size, 1000000);
	assert_int_equal(config.handshake_grace, 3000);
	assert_int_equal(config.udp_idle, 60000);
	assert_int_equal(config.restore_grace, 600000);
	assert_int_equal(config.drain_timeout, 300000);
	assert_int_equal(config.insert_limit, 50000);
	assert_int_equal(config.icmp_error_limit, 1000);
	assert_int_equal(config.service_count, 1);
	assert_int_equal(config.announce.line, 0);

	service = config.services;
	assert_int_equal(service->minimum_up, 1);
	assert_address(&service->vip, "192.0.2.1");
	assert_true(service->port == bpf_htons(80));
	assert_int_equal(service->protocol, IPPROTO_TCP);
	assert_int_equal(service->scheduler, SCHEDULER_MAGLEV);
	assert_int_equal(service->method.forward, FORWARD_rewrite);
	assert_int_equal(service->table_size, 65537);
	assert_int_equal(service->line, 2);
	assert_int_equal(service->backend_count, 1);
	assert_backend(service->backends, "198.51.100.1", 1, false, 5);
	config_free(&config);
	assert_null(config.services);
	config_free(&config); /* freeing an empty one does nothing */
}

/* Keys in any order, block and flow style, quoted and plain, a BOM, CRLF. */
static const char every_key[] =
	"\xef\xbb\xbfgrace: 2h\r\n"
	"# comment\r\n"
	"unmatched: pass\n"
	"services:\n"
	"  - backends:\n"
	"      - {weight: 3, address: 198.51.100.1, "
	"mtu: 1400}\n"
	"      - drain: true\n"
	"        address: '198.51.100.2'\n"
	"    table-size: 251\n"
	"    forward: rewrite\n"
	"    scheduler: random\n"
	"    fragments: by-address\n"
	"    protocol: udp\n"
	"    port: any\n"
	"    vip: 192.0.2.1\n"
	"  - {vip: \"2001:DB8::0:1\", port: \"65535\",\n"
	"     backends: [{address: 2001:db8:1::1,\n"
	"                 drain: false}]}\n"
	"flow-table-size: 7\n"
	"handshake-grace: 1500ms\n"
	"udp-idle: 90s\n"
	"insert-limit: 8\n";

static void reads_every_key(void **state)
{
	struct config config;

	(void)state;
	parse_text(every_key, &config, NULL);
	assert_int_equal(config.unmatched, UNMATCHED_PASS);
	assert_int_equal(config.flow_table_size, 7);
	assert_int_equal(config.handshake_grace, 1500);
	assert_int_equal(config.udp_idle, 90000);
	assert_int_equal(config.restore_grace, 7200000);
	assert_int_equal(config.insert_limit, 8);
	assert_int_equal(config.service_count, 2);

	assert_address(&config.services[0].vip, "192.0.2.1");
	assert_true(config.services[0].port == 0);
	assert_int_equal(config.services[0].protocol, IPPROTO_UDP);
	assert_int_equal(config.services[0].scheduler, SCHEDULER_RANDOM);
	assert_int_equal(config.services[0].table_size, 251);
	assert_true(config.services[0].by_address);
	assert_int_equal(config.services[0].backends[0].mtu, 1400);
	assert_int_equal(config.services[0].backends[1].mtu, 0);
	assert_false(config.services[1].by_address);
	assert_int_equal(config.services[0].line, 5);
	assert_int_equal(config.services[0].backend_count, 2);
	assert_backend(&config.services[0].backends[0], "198.51.100.1", 3,
		       false, 6);
	assert_backend(&config.services[0].backends[1], "198.51.100.2", 1, true,
		       7);

	assert_address(&config.services[1].vip, "2001:db8::1");
	assert_true(config.services[1].port == bpf_htons(65535));
	assert_int_equal(config.services[1].protocol, IPPROTO_TCP);
	assert_int_equal(config.services[1].line, 16);
	assert_int_equal(config.services[1].backend_count, 1);
	assert_backend(&config.services[1].backends[0], "2001:db8:1::1", 1,
		       false, 17);
	config_free(&config);
}

struct edge {
	const char *text;
	size_t offset; /* offset of a __u32 in struct config */
	__u32 value;
};

#define EDGE(key, field, value)                                                \
	{                                                                      \
		key "\n" SERVICE, offsetof(struct config, field), value        \
	}

static void accepts_both_edges(void **state)
{
	static const struct edge edges[] = {
		EDGE("flow-table-size: 1", flow_table_size, 1),
		EDGE("flow-table-size: 16777216", flow_table_size, 16777216),
		EDGE("handshake-grace: 0s", handshake_grace, 0),
		EDGE("handshake-grace: 0ms", handshake_grace, 0),
		EDGE("handshake-grace: 60s", handshake_grace, 60000),
		EDGE("handshake-grace: 1min", handshake_grace, 60000),
		EDGE("udp-idle: 1000ms", udp_idle, 1000),
		EDGE("udp-idle: 24h", udp_idle, 86400000),
		EDGE("grace: 0h", restore_grace, 0),
		EDGE("drain-timeout: 0s", drain_timeout, 0),
		EDGE("drain-timeout: 24h", drain_timeout, 86400000),
		EDGE("grace: 86400s", restore_grace, 86400000),
		EDGE("insert-limit: 1", insert_limit, 1),
		EDGE("insert-limit: 10000000", insert_limit, 10000000),
		EDGE("icmp-error-limit: 0", icmp_error_limit, 0),
		EDGE("advmss: 88", advmss, 88),
		EDGE("advmss: route", advmss, 0),
		EDGE("advmss: 65495", advmss, 65495),
		EDGE("icmp-error-limit: 1000000", icmp_error_limit, 1000000),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
		struct config config;
		__u32 value;

		parse_text(edges[i].text, &config, NULL);
		memcpy(&value, (char *)&config + edges[i].offset,
		       sizeof(value));
		assert_int_equal(value, edges[i].value);
		config_free(&config);
	}
}

static void accepts_edges_of_a_service(void **state)
{
	struct config config;

	(void)state;
	parse_text("services:\n"
		   "- {vip: 192.0.2.1, port: 1, table-size: 251,\n"
		   "   backends: [{address: 198.51.100.1, weight: 1},\n"
		   "              {address: 198.51.100.2, weight: 1000}]}\n"
		   "- {vip: 192.0.2.1, port: 65535, table-size: 131071,\n"
		   "   backends: [{address: 223.255.255.255}]}\n",
		   &config, NULL);
	assert_true(config.services[0].port == bpf_htons(1));
	assert_int_equal(config.services[0].table_size, 251);
	assert_int_equal(config.services[0].backends[0].weight, 1);
	assert_int_equal(config.services[0].backends[1].weight, 1000);
	assert_true(config.services[1].port == bpf_htons(65535));
	assert_int_equal(config.services[1].table_size, 131071);
	config_free(&config);
}

static void describes_every_key(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	size_t lines = 0;

	(void)state;
	assert_non_null(out);
	config_print_keys(out);
	fclose(out);
	for (size_t i = 0; i < key_count; i++) {
		char row[64];

		snprintf(row, sizeof(row), "\n| `%s` | %s | ", keys[i].name,
			 levels[keys[i].level].name);
		assert_non_null(strstr(text, row));
	}
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, key_count + 2);
	assert_non_null(strstr(text, "| `weight` | backend | a number from 1 "
				     "to 1000 | 1 | "));
	assert_non_null(strstr(text, "| `vip` | service | an IPv4 or IPv6 "
				     "unicast address | required | "));
	free(text);
}

static void addresses_come_back(void **state)
{
	static const char *const texts[] = {"192.0.2.1",   "0.0.0.0",
					    "::",	   "::1",
					    "2001:db8::1", "ff02::1:2"};
	struct addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(addr_parse(texts[i], &addr), 0);
		assert_address(&addr, texts[i]);
		assert_int_equal(addr_is_v4(&addr), !strchr(texts[i], ':'));
	}
	assert_int_equal(addr_parse("::ffff:192.0.2.1", &addr), 0);
	assert_address(&addr, "192.0.2.1");
	assert_int_equal(addr_parse("192.0.2.1 ", &addr), -1);
	assert_int_equal(addr_parse("", &addr), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fills_in_defaults),
		cmocka_unit_test(reads_every_key),
		cmocka_unit_test(accepts_both_edges),
		cmocka_unit_test(accepts_edges_of_a_service),
		cmocka_unit_test(describes_every_key),
		cmocka_unit_test(addresses_come_back),
	};

	return RUN("config", tests);
}
