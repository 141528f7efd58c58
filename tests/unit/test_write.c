// SPDX-License-Identifier: GPL-2.0-only
/*
 * The law of write.h over random records of every key there is: what is
 * written is read again as the same, and its digest is that of its meaning.
 */
#include "common/config/write.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/keys.h"
#include "common/config/transition.h"
#include "common/config/values.h"
#include "common/core/abi_services.h"
#include "tests/unit/agree.h"
#include "tests/unit/unit.h"

#define FILES	 draws(2000)
#define SERVICES 4
#define BACKENDS 5

static __u32 below(__u32 end)
{
	return (__u32)random() % end;
}

static void store(const struct key *key, __u32 value, char *record)
{
	__u16 narrow =
		key->kind == KIND_PORT ? htons((__u16)value) : (__u16)value;

	if (key->size == sizeof(value))
		memcpy(record + key->offset, &value, sizeof(value));
	else if (key->size == sizeof(narrow))
		memcpy(record + key->offset, &narrow, sizeof(narrow));
	else
		record[key->offset] = (char)value;
}

/* Printable characters, many of them quotes. */
static void draw_text(const struct key *key, char *field)
{
	size_t length = key->min + below((__u32)(key->size - key->min)), i;

	memset(field, 0, key->size);
	for (i = 0; i < length; i++)
		field[i] = below(8) ? (char)(' ' + below('~' - ' ' + 1)) : '\'';
}

/* Any value that the key may have; half of the time its current one. */
static void draw(const struct key *key, char *record)
{
	char problem[PROBLEM_SIZE];
	__u32 words = 0, value = 0, seconds = (key->min + 999) / 1000;

	while (key->keywords && key->keywords[words].name)
		words++;
	if (key->standard && below(2)) {
		assert_int_equal(value_store(key, key->standard,
					     strlen(key->standard), record,
					     problem),
				 0);
		return;
	}
	if (key->kind == KIND_TEXT) {
		draw_text(key, record + key->offset);
		return;
	}
	if (words && (key->kind == KIND_KEYWORD || !below(4)))
		value = key->keywords[below(words)].value;
	else if (key->kind == KIND_SHARE && below(2))
		value = SHARE_PERCENT | (1 + below(100));
	else if (key->kind == KIND_PRIME)
		value = value_next_prime(key->min +
					 below(key->max - key->min + 1));
	else if (key->kind == KIND_DURATION && below(2))
		value = 1000 * (seconds + below(key->max / 1000 - seconds + 1));
	else
		value = key->min + below(key->max - key->min + 1);
	store(key, value, record);
}

static void draw_record(enum level level, void *record)
{
	size_t i;

	for (i = 0; i < key_count; i++) {
		if (keys[i].level == level && keys[i].kind != KIND_LIST &&
		    keys[i].kind != KIND_PREFIXES &&
		    keys[i].kind != KIND_RECORD && keys[i].kind != KIND_ADDRESS)
			draw(&keys[i], record);
	}
}

/* A key that does not belong to the check's type counts as left out. */
static void forget_others(struct config_check *check)
{
	char problem[PROBLEM_SIZE];
	const struct key *key;

	for (key = keys; key < keys + key_count; key++) {
		if (key->level != LEVEL_CHECK || !key->types ||
		    key->types & TYPE(check->type))
			continue;
		memset((char *)check + key->offset, 0, key->size);
		value_store(key, key->standard, strlen(key->standard), check,
			    problem);
	}
}

static void draw_check(struct config_service *service)
{
	struct config_check *check = &service->check;
	bool udp = service->protocol == IPPROTO_UDP;

	if (below(2) || method_returns(&service->method))
		return;
	draw_record(LEVEL_CHECK, check);
	check->path[0] = '/';
	if (check->timeout > check->interval / 2)
		check->timeout = check->interval / 2;
	if (check->type != CHECK_HEARTBEAT && udp != (check->type == CHECK_UDP))
		check->type = udp ? CHECK_UDP : CHECK_HTTPS;
	check->port = service->port ? 0 : htons(8443);
	if (method_is_by_address(&service->method))
		check->application_port = 0;
	forget_others(check);
}

/* A former table, where there may be one; it counts as one in transition. */
static void draw_former(struct config_service *service)
{
	struct config_was *was = &service->was;
	bool may = service->protocol == IPPROTO_TCP &&
		   scheduler_is_function(service->scheduler) &&
		   method_overwrites_vip(&service->method);

	if (!may)
		service->chance = CHANCE_TRANSITION;
	memset(was, 0, sizeof(*was));
	if (may && below(2))
		draw_record(LEVEL_WAS, was);
	if (was->table_size == service->table_size)
		was->table_size = 0;
	if (was->scheduler == service->scheduler + 1)
		was->scheduler = 0;
}

/* 10.9.0.0/16, 2001:db8:9::/48 and one address; the first of them, or more. */
static struct prefix prefixes[3];
static struct prefix nat_sources[] = {{128, {{0, 0, V4_MAPPED, 9}}},
				      {128, {{32}}}};

static void draw_prefixes(struct prefix **field, size_t *count, size_t most)
{
	*field = prefixes;
	*count = below((__u32)most + 1);
}

static void draw_file(struct config *config)
{
	draw_record(LEVEL_FILE, config);
	if (below(2))
		draw_record(LEVEL_ANNOUNCE, &config->announce);
	agree_announce(&config->announce);
	draw_prefixes(&config->outer_sources, &config->outer_source_count, 2);
	config->nat_sources = config->release_to = nat_sources;
	config->nat_source_count = config->release_to_count = 2;
	draw_prefixes(&config->lb_sources, &config->lb_source_count, 3);
}

/* No two backends have the same address, so they cannot be mixed up. */
static void draw_config(struct config *config, struct config_service *services,
			struct config_backend (*backends)[BACKENDS])
{
	char text[64];
	size_t i, j;

	memset(config, 0, sizeof(*config));
	draw_file(config);
	config->services = services;
	config->service_count = 1 + below(SERVICES);
	for (i = 0; i < config->service_count; i++) {
		bool six = below(2);

		memset(&services[i], 0, sizeof(services[i]));
		draw_record(LEVEL_SERVICE, &services[i]);
		agree(&services[i], (__u8)(i + 1));
		agree_workers(&services[i], (__u16)(i + 1));
		draw_check(&services[i]);
		draw_former(&services[i]);
		snprintf(text, sizeof(text),
			 six ? "2001:db8::%zx" : "192.0.2.%zu", i + 1);
		assert_int_equal(addr_parse(text, &services[i].vip), 0);
		services[i].backends = backends[i];
		services[i].backend_count = 1 + below(BACKENDS);
		agree_minimum_up(&services[i]);
		for (j = 0; j < services[i].backend_count; j++) {
			memset(&backends[i][j], 0, sizeof(backends[i][j]));
			draw_record(LEVEL_BACKEND, &backends[i][j]);
			stand(&backends[i][j], j + table_changes(&services[i]));
			if (!method_returns(&services[i].method) ||
			    !services[i].port)
				backends[i][j].port = 0;
			if (services[i].threads)
				backends[i][j].weight = 1;
			if (services[i].by_address || services[i].threads ||
			    !method_is_restored(&services[i].method))
				backends[i][j].restore = RESTORE_LO;
			/* IPv6's 1280 bytes, inside an outer IPv6 header. */
			if (backends[i][j].mtu && backends[i][j].mtu < 1320)
				backends[i][j].mtu = 1320;
			snprintf(text, sizeof(text),
				 six ? "2001:db8:1::%zx:%zx" : "10.1.%zu.%zu",
				 i, 1 + j);
			assert_int_equal(
				addr_parse(text, &backends[i][j].address), 0);
		}
	}
}

static void assert_same(enum level level, const void *a, const void *b)
{
	size_t i;

	for (i = 0; i < key_count; i++) {
		if (keys[i].level == level && keys[i].kind != KIND_LIST &&
		    keys[i].kind != KIND_RECORD &&
		    keys[i].kind != KIND_PREFIXES)
			assert_memory_equal((const char *)a + keys[i].offset,
					    (const char *)b + keys[i].offset,
					    keys[i].size);
	}
}

static void assert_same_config(const struct config *a, const struct config *b)
{
	size_t i, j;

	assert_same(LEVEL_FILE, a, b);
	assert_same(LEVEL_ANNOUNCE, &a->announce, &b->announce);
	assert_int_equal(a->outer_source_count, b->outer_source_count);
	assert_int_equal(a->lb_source_count, b->lb_source_count);
	assert_true(!a->outer_source_count ||
		    !memcmp(a->outer_sources, b->outer_sources,
			    a->outer_source_count * sizeof(struct prefix)));
	assert_memory_equal(a->nat_sources, b->nat_sources,
			    sizeof(nat_sources));
	assert_memory_equal(a->release_to, b->release_to, sizeof(nat_sources));
	assert_true(!a->lb_source_count ||
		    !memcmp(a->lb_sources, b->lb_sources,
			    a->lb_source_count * sizeof(struct prefix)));
	assert_int_equal(a->service_count, b->service_count);
	for (i = 0; i < a->service_count; i++) {
		assert_same(LEVEL_SERVICE, &a->services[i], &b->services[i]);
		assert_same(LEVEL_CHECK, &a->services[i].check,
			    &b->services[i].check);
		assert_same(LEVEL_WAS, &a->services[i].was,
			    &b->services[i].was);
		assert_int_equal(a->services[i].backend_count,
				 b->services[i].backend_count);
		for (j = 0; j < a->services[i].backend_count; j++)
			assert_same(LEVEL_BACKEND, &a->services[i].backends[j],
				    &b->services[i].backends[j]);
	}
}

/* Reverses the order of services and backends. */
static void turn_round(struct config *config)
{
	struct config_service service, *services = config->services;
	struct config_backend backend, *backends;
	size_t i, j, last;

	for (i = 0; i < config->service_count; i++) {
		backends = services[i].backends;
		for (j = 0, last = services[i].backend_count - 1; j < last;
		     j++, last--) {
			backend = backends[j];
			backends[j] = backends[last];
			backends[last] = backend;
		}
	}
	for (i = 0, last = config->service_count - 1; i < last; i++, last--) {
		service = services[i];
		services[i] = services[last];
		services[last] = service;
	}
}

static char *written(const struct config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	config_write(config, out);
	fclose(out);
	return text;
}

static void reads_what_was_written(void **unused)
{
	struct config_backend backends[SERVICES][BACKENDS];
	struct config_service services[SERVICES];
	struct config config, again;
	int i, taken = 0;
	char why[1024], *text;
	__u8 digest[32];

	(void)unused;
	srandom(20261121);
	assert_int_equal(addr_parse("10.9.0.0", &prefixes[0].address), 0);
	prefixes[0].bits = 96 + 16;
	assert_int_equal(addr_parse("2001:db8:9::", &prefixes[1].address), 0);
	prefixes[1].bits = 48;
	assert_int_equal(addr_parse("10.8.7.6", &prefixes[2].address), 0);
	prefixes[2].bits = 128;
	for (i = 0; i < FILES; i++) {
		draw_config(&config, services, backends);
		text = written(&config);
		if (config_parse("f", text, strlen(text), &again, why,
				 sizeof(why), NULL)) {
			/*
			 * Keys that contradict each other; each value by itself
			 * is right.
			 */
			if (!strstr(why, "lb-sources"))
				fail_msg("%s\n%s", why, text);
			free(text);
			continue;
		}
		taken++;
		assert_same_config(&config, &again);
		assert_int_equal(config_digest(&config, digest), 0);
		assert_memory_equal(digest, again.digest, sizeof(digest));
		turn_round(&config);
		assert_int_equal(config_digest(&config, digest), 0);
		assert_memory_equal(digest, again.digest, sizeof(digest));
		services[0].backends[0].weight ^= 1;
		assert_int_equal(config_digest(&config, digest), 0);
		assert_memory_not_equal(digest, again.digest, sizeof(digest));
		config_free(&again);
		free(text);
	}
	assert_true(taken > FILES / 4);
}

static void writes_for_people(void **unused)
{
	static const char text[] = "udp-idle: 90s\n"
				   "services:\n"
				   "  - vip: 192.0.2.1\n"
				   "    port: any\n"
				   "    protocol: udp\n"
				   "    backends:\n"
				   "      - {address: 10.1.0.1, weight: 3}\n"
				   "      - {address: 10.1.0.2, drain: true}\n"
				   "  - vip: '2001:db8::1'\n"
				   "    port: 80\n"
				   "    backends:\n"
				   "      - {address: '2001:db8:1::1'}\n";
	struct config config;
	char why[512], *again;

	(void)unused;
	assert_int_equal(config_parse("f", text, strlen(text), &config, why,
				      sizeof(why), NULL),
			 0);
	again = written(&config);
	assert_string_equal(again, text);
	free(again);
	config_free(&config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(writes_for_people),
	};

	return RUN("write", tests);
}
