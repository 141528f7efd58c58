// SPDX-License-Identifier: GPL-2.0-only
/*
 * From any file to any other one: each step passes `check`, `apply` takes it,
 * no flow is forgotten, and the last is the wanted file.
 *
 * The oracle knows no rounds. It keeps, of each service that remembers no flow,
 * all pools in which flows that are left may have begun: the weight of each
 * backend, and the table. After a step the file has to name every one of them
 * as a choice of what was before and what is after.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/plan.h"
#include "common/config/transition.h"
#include "common/config/write.h"
#include "common/core/address.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define PAIRS	   draws(2000)
#define MOST_STEPS 80
#define ADDRESSES  7 /* the last one is IPv6 */
#define MOST_POOLS 64

static uint64_t seed;

static const char *one_of(const char *const *words, size_t count)
{
	return words[draw_below(&seed, (uint32_t)count)];
}
#define ONE_OF(...)                                                            \
	one_of((const char *const[]){__VA_ARGS__},                             \
	       sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static const char *const addresses[ADDRESSES] = {
	"198.51.100.1", "198.51.100.2", "198.51.100.3",	   "198.51.100.4",
	"198.51.100.5", "198.51.100.6", "'2001:db8:1::1'",
};

static void draw_backends(FILE *out, bool six)
{
	bool any = false;
	size_t i;

	fputs("backends: [", out);
	for (i = 0; i < ADDRESSES; i++) {
		if (draw_below(&seed, 2) || (i == 6 && !six))
			continue;
		any = true;
		fprintf(out, "{address: %s, weight: %s%s}, ", addresses[i],
			ONE_OF("1", "1", "1", "2", "3"),
			ONE_OF("", "", "", "", "", "", ", state: filling",
			       ", state: draining", ", weight-before: 2",
			       ", mtu: 1400"));
	}
	if (!any)
		fprintf(out, "{address: %s}", addresses[0]);
	fputs("]}\n", out);
}

static void draw_service(FILE *out, const char *vip, const char *port)
{
	bool six = !draw_below(&seed, 6);

	fprintf(out,
		"- {vip: %s, port: %s, protocol: %s, scheduler: %s, forward: "
		"%s, table-size: %s, flows: %s%s%s, ",
		vip, port, ONE_OF("tcp", "tcp", "tcp", "tcp", "udp"),
		ONE_OF("maglev", "maglev", "maglev", "source-hash", "random"),
		six ? "ipip"
		    : ONE_OF("rewrite", "rewrite", "rewrite", "ipip", "l2",
			     "dscp, dscp: 1", "dscp, dscp: 2"),
		ONE_OF("251", "251", "509"),
		ONE_OF("second-chance", "second-chance", "remember"),
		ONE_OF("", "", "", ", was: {table-size: 251}",
		       ", was: {scheduler: maglev}"),
		ONE_OF("", "", ", on-down: move", ", on-all-down: pass",
		       ", second-chance: always"));
	draw_backends(out, six);
}

/* A file that is valid. */
static void draw_config(struct config *config)
{
	static const char *const keys[][2] = {
		{"192.0.2.1", "80"}, {"192.0.2.1", "any"}, {"192.0.2.2", "80"}};
	char text[8192], why[512];
	FILE *out;
	size_t i;

	do {
		out = fmemopen(text, sizeof(text), "w");
		assert_non_null(out);
		fprintf(out, "lb-sources: [%s]\n",
			ONE_OF("192.0.2.0/24", "203.0.113.0/24"));
		fputs("services:\n", out);
		for (i = 0; i < 3; i++) {
			if (!draw_below(&seed, 2))
				draw_service(out, keys[i][0], keys[i][1]);
		}
		fclose(out);
	} while (config_parse("file", text, strlen(text), config, why,
			      sizeof(why), NULL));
}

static const char *trail = ""; /* the files so far */

/* The trail is too long for a message. */
#define FAIL(...)                                                              \
	do {                                                                   \
		fputs(trail, stderr);                                          \
		fail_msg(__VA_ARGS__);                                         \
	} while (0)

/* A pool: [0] the table, then the weights of `addresses`. */
struct vector {
	unsigned int at[1 + ADDRESSES];
};

/* The two values of each. */
static void values_of(const struct config_service *service,
		      struct vector *before, struct vector *after)
{
	char text[64];
	size_t i, j;

	memset(before, 0, sizeof(*before));
	memset(after, 0, sizeof(*after));
	after->at[0] = service->table_size * 10 + service->scheduler;
	before->at[0] = (service->was.table_size ?: service->table_size) * 10 +
			(service->was.scheduler ? service->was.scheduler - 1u
						: service->scheduler);
	for (i = 0; i < service->backend_count; i++) {
		const struct config_backend *row = &service->backends[i];
		bool fills = row->state == STATE_FILLING;

		for (j = 0; j < ADDRESSES; j++) {
			struct addr six = {0};

			snprintf(text, sizeof(text), "%s", addresses[j]);
			if (j == 6)
				snprintf(text, sizeof(text), "2001:db8:1::1");
			assert_int_equal(addr_parse(text, &six), 0);
			if (memcmp(&six, &row->address, sizeof(six)))
				continue;
			after->at[1 + j] = row->drain ? 0 : row->weight;
			before->at[1 + j] = fills ? 0
					    : row->weight_before
						    ? row->weight_before
						    : row->weight;
		}
	}
}

/* The pools in which flows of one service may have begun. */
struct past {
	struct config_service service; /* its key */
	struct vector pools[MOST_POOLS];
	size_t count;
};

static void past_add(struct past *past, const struct vector *pool)
{
	size_t i;

	for (i = 0; i < past->count; i++) {
		if (!memcmp(&past->pools[i], pool, sizeof(*pool)))
			return;
	}
	assert_true(past->count < MOST_POOLS);
	past->pools[past->count++] = *pool;
}

/* All choices of before and after. */
static void past_of(struct past *past, const struct config_service *service)
{
	struct vector before, after, pool;
	unsigned int choice, i;

	values_of(service, &before, &after);
	past->count = 0;
	for (choice = 0; choice < 1u << (1 + ADDRESSES); choice++) {
		for (i = 0; i < 1 + ADDRESSES; i++)
			pool.at[i] =
				choice >> i & 1 ? before.at[i] : after.at[i];
		past_add(past, &pool);
	}
}

static const struct config_service *
service_in(const struct config *config, const struct config_service *like)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (config->services[i].port == like->port &&
		    config->services[i].protocol == like->protocol &&
		    addr_equal(&config->services[i].vip, &like->vip))
			return &config->services[i];
	}
	return NULL;
}

/* Does the file still name every pool of the past? */
static void assert_named(const struct past *past,
			 const struct config_service *service)
{
	struct vector before, after;
	size_t i, j;

	values_of(service, &before, &after);
	for (i = 0; i < past->count; i++) {
		for (j = 0; j < 1 + ADDRESSES; j++) {
			unsigned int value = past->pools[i].at[j];

			if (value != before.at[j] && value != after.at[j])
				FAIL("element %zu: flows of its value %u are "
				     "forgotten",
				     j, value);
		}
	}
}

static void assert_keeps(struct past *past, const struct config *old,
			 const struct plan_step *step)
{
	const struct config_service *service = service_in(old, &past->service);
	const struct config_service *after;
	struct vector unused, now;

	after = service_in(&step->config, &past->service);
	/* What was remembered is found, and by the file what begins now. */
	if (!service || service->flows != FLOWS_SECOND_CHANCE) {
		if (after && after->flows == FLOWS_SECOND_CHANCE)
			past_of(past, after);
		return;
	}
	values_of(service, &unused, &now);
	if (step->wait == WAIT_MOVED) {
		past->count = 0;
		past_add(past, &now);
	}
	if (!after)
		FAIL("flows of a service are forgotten");
	/* By then, they are remembered. */
	if (!can_have_second_chance(after))
		return;
	assert_named(past, after);
	values_of(after, &unused, &now);
	past_add(past, &now);
}

/* The past of all services of both files. To be freed. */
static struct past *pasts_of(const struct config *from,
			     const struct config *wanted)
{
	size_t i, all = from->service_count + wanted->service_count;
	struct past *pasts = calloc(all, sizeof(*pasts));

	assert_non_null(pasts);
	for (i = 0; i < all; i++) {
		const struct config_service *service =
			i < from->service_count
				? &from->services[i]
				: &wanted->services[i - from->service_count];

		if (i >= from->service_count && service_in(from, service))
			continue;
		pasts[i].service = *service;
		past_of(&pasts[i], service);
	}
	return pasts;
}

/* The step as `apply` would read it. */
static void apply(const struct config *current, const struct plan_step *step,
		  struct config *applied)
{
	char why[512];

	if (config_parse("step", step->file, strlen(step->file), applied, why,
			 sizeof(why), NULL))
		FAIL("%s", why);
	if (transition_step(current, applied, why, sizeof(why)))
		FAIL("%s", why);
}

static void follow(const struct config *from, const struct config *wanted)
{
	struct past *pasts = pasts_of(from, wanted);
	struct config current = *from, applied;
	struct plan_step step;
	char *text = NULL;
	size_t size, i, count = 0;
	FILE *out = open_memstream(&text, &size);
	int rc;

	config_write(from, out);
	fputs("wanted:\n", out);
	config_write(wanted, out);
	while ((rc = plan_next(&current, wanted, &step)) > 0) {
		fprintf(out, "step %zu, waits %d:\n%s", count, step.wait,
			step.file);
		fflush(out);
		trail = text;
		if (++count > MOST_STEPS)
			FAIL("no end");
		apply(&current, &step, &applied);
		for (i = 0; i < from->service_count + wanted->service_count;
		     i++)
			assert_keeps(&pasts[i], &current, &step);
		if (current.path != from->path)
			config_free(&current);
		current = applied;
		plan_step_free(&step);
	}
	assert_int_equal(rc, 0);
	if (memcmp(current.digest, wanted->digest, sizeof(wanted->digest)))
		FAIL("it ends elsewhere");
	if (current.path != from->path)
		config_free(&current);
	fclose(out);
	free(text);
	free(pasts);
}

static void any_to_any(void **unused)
{
	struct config from, wanted;
	int i;

	(void)unused;
	for (i = 0; i < PAIRS; i++) {
		seed = (uint64_t)i;
		draw_config(&from);
		draw_config(&wanted);
		follow(&from, &wanted);
		config_free(&from);
		config_free(&wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_to_any),
	};

	return RUN("plan", tests);
}
