// SPDX-License-Identifier: GPL-2.0-only
/*
 * hand.c - one backend changed at once, in the running state only
 *
 * The file stays what it is; what differs from it is marked in the backend's
 * row. So `apply` can say what it takes back, and `save` print what runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/file.h"
#include "LoadBalancer/lbr.h"
#include "common/tool/cli.h"
#include "common/tool/endpoint.h"
#include "common/tool/keys.h"
#include "common/tool/values.h"
#include "common/tool/write.h"

struct hand {
	const char *verb;
	const struct options *options;
	struct addr address;
	enum by_hand what;
	bool drain;
	__u16 weight;
};

/* As `show` writes it, and the protocol: "192.0.2.1:80/tcp". */
static bool is_named(const struct config_service *service, const char *name)
{
	char text[64], whole[80];

	if (!name)
		return true;
	snprintf(whole, sizeof(whole), "%s/%s",
		 endpoint_text(&service->vip, service->port, text),
		 protocol_name(service->protocol));
	return !strcmp(whole, name);
}

static void set(const struct hand *hand, const struct config_backend *file,
		struct config_backend *state)
{
	bool same;

	if (hand->what == BY_HAND_STATE) {
		state->drain = hand->drain;
		same = file->drain == hand->drain;
	} else {
		state->weight = hand->weight;
		same = file->weight == hand->weight;
	}
	if (same)
		state->by_hand &= (__u8)~hand->what;
	else
		state->by_hand |= hand->what;
}

/* Wherever the backend is; both have the same services and backends. */
static int set_all(const struct hand *hand, const struct config *file,
		   struct config *state, struct fault *fault_out)
{
	struct config_service *service;
	size_t i, j, found = 0;

	for (i = 0; i < state->service_count; i++) {
		service = &state->services[i];
		if (!is_named(service, hand->options->service))
			continue;
		for (j = 0; j < service->backend_count; j++) {
			if (memcmp(&service->backends[j].address,
				   &hand->address, sizeof(hand->address)))
				continue;
			set(hand, &file->services[i].backends[j],
			    &service->backends[j]);
			found++;
		}
	}
	if (found)
		return 0;
	fault(fault_out, "cannot %s %s: %s%s has no such backend", hand->verb,
	      hand->options->words[0],
	      hand->options->service ? "service " : "no service",
	      hand->options->service ?: "");
	return fault_hint(fault_out, "lbr show backends");
}

static int change(const struct role *role, struct hand *hand)
{
	struct fault fault_is = {0};
	struct config file, state;
	struct kernel kernel;
	int rc;

	if (addr_parse(hand->options->words[0], &hand->address)) {
		fault(&fault_is,
		      "cannot %s '%s': it is neither an IPv4 nor an IPv6 "
		      "address",
		      hand->verb, hand->options->words[0]);
		return cli_failed(role, &fault_is);
	}
	rc = kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (!rc && !file_running(&kernel, &file, &state, &fault_is)) {
		rc = set_all(hand, &file, &state, &fault_is)
			     ?: apply_config(&kernel, &state, false, &fault_is);
		config_free(&file);
		config_free(&state);
	} else {
		rc = -1;
	}
	kernel_close(&kernel);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

int verb_drain(const struct role *role, const struct options *options)
{
	struct hand hand = {.verb = "drain",
			    .options = options,
			    .what = BY_HAND_STATE,
			    .drain = true};

	return change(role, &hand);
}

int verb_undrain(const struct role *role, const struct options *options)
{
	struct hand hand = {.verb = "undrain",
			    .options = options,
			    .what = BY_HAND_STATE,
			    .drain = false};

	return change(role, &hand);
}

int verb_weight(const struct role *role, const struct options *options)
{
	const struct key *key = key_find(LEVEL_BACKEND, "weight", 6);
	struct config_backend said = {0};
	struct fault fault_is = {0};
	char problem[PROBLEM_SIZE];
	struct hand hand = {
		.verb = "weight", .options = options, .what = BY_HAND_WEIGHT};

	if (value_store(key, options->words[1], strlen(options->words[1]),
			&said, problem)) {
		fault(&fault_is, "cannot set %s", problem);
		return cli_failed(role, &fault_is);
	}
	hand.weight = said.weight;
	return change(role, &hand);
}

int verb_save(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	struct config state;
	struct kernel kernel;
	int rc;

	(void)options;
	rc = kernel_open(&kernel, role, ACCESS_READ, &fault_is)
		     ?: file_running(&kernel, NULL, &state, &fault_is);
	kernel_close(&kernel);
	if (rc)
		return cli_failed(role, &fault_is);
	config_write(&state, stdout);
	config_free(&state);
	if (!fflush(stdout))
		return EXIT_DONE;
	fault(&fault_is, "cannot write the file: stdout takes it not");
	return cli_failed(role, &fault_is);
}
