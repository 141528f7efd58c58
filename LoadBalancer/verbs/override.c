// SPDX-License-Identifier: GPL-2.0-only
/*
 * override.c - change one backend at once, in the running state only
 *
 * The file stays as it is; a difference to it is marked in the backend's row.
 * So `apply` can report what it takes back, and `save` can print what runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/generation/file.h"
#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/address.h"
#include "common/cli/cli.h"
#include "common/config/endpoint.h"
#include "common/config/keys.h"
#include "common/config/state.h"
#include "common/config/values.h"
#include "common/config/write.h"
#include "common/core/abi_services.h"

struct request {
	const char *verb;
	const struct options *options;
	struct addr address;
	enum override what;
	bool drain;
	__u16 weight;
};

/* As `show` writes it, with or without the protocol: "192.0.2.1:80/tcp". */
static bool is_named(const struct config_service *service, const char *name)
{
	char text[64], whole[80];

	if (!name)
		return true;
	endpoint_text(&service->vip, service->port, text);
	snprintf(whole, sizeof(whole), "%s/%s", text,
		 protocol_name(service->protocol));
	return !strcmp(whole, name) || !strcmp(text, name);
}

/* Without a protocol, the name may mean two services. 0, or -1 with a fault. */
static int name_refuse(const struct request *request,
		       const struct config *config, struct fault *fault_out)
{
	const char *name = request->options->service;
	size_t i, count = 0;

	for (i = 0; name && i < config->service_count; i++)
		count += is_named(&config->services[i], name);
	if (count < 2)
		return 0;
	fault(fault_out,
	      "cannot %s %s: %s names a service of tcp and one of "
	      "udp",
	      request->verb, request->options->arguments[0], name);
	return fault_hint(fault_out, "lbr %s %s%s%s -s %s/tcp", request->verb,
			  request->options->arguments[0],
			  request->options->arguments[1] ? " " : "",
			  request->options->arguments[1] ?: "", name);
}

static void set(const struct request *request,
		const struct config_backend *file, struct config_backend *state)
{
	bool same;

	if (request->what == OVERRIDE_STATE) {
		state->drain = request->drain;
		same = file->drain == request->drain;
	} else {
		state->weight = request->weight;
		same = file->weight == request->weight;
	}
	if (same)
		state->override &= (__u8)~request->what;
	else
		state->override |= request->what;
}

/* The backend's index in either; both have the same services and backends. */
static int set_all(const struct request *request, const struct config *file,
		   struct config *state, struct fault *fault_out)
{
	struct config_service *service;
	size_t i, j, found = 0;

	for (i = 0; i < state->service_count; i++) {
		service = &state->services[i];
		if (!is_named(service, request->options->service))
			continue;
		for (j = 0; j < service->backend_count; j++) {
			if (memcmp(&service->backends[j].address,
				   &request->address, sizeof(request->address)))
				continue;
			set(request, &file->services[i].backends[j],
			    &service->backends[j]);
			found++;
		}
	}
	if (found)
		return 0;
	if (request->options->service)
		fault(fault_out, "cannot %s %s: no service %s has this backend",
		      request->verb, request->options->arguments[0],
		      request->options->service);
	else
		fault(fault_out, "cannot %s %s: no service has this backend",
		      request->verb, request->options->arguments[0]);
	return fault_hint(fault_out, "lbr show backends");
}

/* Does the service have this backend, but none that takes new flows? */
static bool is_last(const struct request *request,
		    const struct running *running,
		    const struct running_service *service)
{
	struct service_tally tally = {0};
	size_t i, end;

	if (!running_backend(running, service->service.id, &request->address))
		return false;
	running_range(running, service->service.id, &i, &end);
	for (; i < end; i++)
		service_add(&tally, running->by_address[i]);
	return service_status(&tally) == SERVICE_DRAINED;
}

/*
 * The services whose new flows are dropped from now on; not those whose file
 * says that they are passed. To be freed; NULL: none.
 */
static char *drained(const struct kernel *kernel, const struct request *request,
		     const struct config *state)
{
	const struct config_service *service = state->services;
	const struct running_service *there;
	struct running running;
	struct fault ignored;
	char *text = NULL, name[64];
	size_t i, length;
	FILE *out;

	if (!request->drain || running_read(kernel, generation_current(kernel),
					    &running, &ignored))
		return NULL;
	out = open_memstream(&text, &length);
	for (i = 0; out && i < state->service_count; i++, service++) {
		there = running_service_for(&running, service);
		if (!is_named(service, request->options->service) || !there ||
		    service->on_all_down == ALL_DOWN_PASS ||
		    !is_last(request, &running, there))
			continue;
		fprintf(out, "%s%s/%s", ftell(out) ? ", " : "",
			endpoint_text(&service->vip, service->port, name),
			protocol_name(service->protocol));
	}
	if (out)
		fclose(out);
	running_free(&running);
	return text;
}

static void drained_warn(const struct role *role, const struct request *request,
			 const char *services)
{
	struct fault fault_is = {0};

	fault(&fault_is,
	      "all backends drain: all new connections to %s are dropped now",
	      services);
	fault_hint(&fault_is, "%s undrain %s%s%s", role->name,
		   request->options->arguments[0],
		   request->options->service ? " -s " : "",
		   request->options->service ?: "");
	fault_warn(&fault_is);
}

static int change(const struct role *role, struct request *request)
{
	char *services = NULL;
	struct fault fault_is = {0};
	struct config file, state;
	struct kernel kernel;
	int rc;

	if (addr_parse(request->options->arguments[0], &request->address)) {
		fault(&fault_is,
		      "cannot %s '%s': it is neither an IPv4 nor an IPv6 "
		      "address",
		      request->verb, request->options->arguments[0]);
		return cli_failed(role, &fault_is);
	}
	rc = kernel_open(&kernel, role, ACCESS_CHANGE, &fault_is);
	if (!rc && !file_running(&kernel, &file, &state, &fault_is)) {
		rc = name_refuse(request, &state, &fault_is)
			     ?: set_all(request, &file, &state, &fault_is)
			     ?: apply_config(&kernel, &state, false, &fault_is);
		if (!rc)
			services = drained(&kernel, request, &state);
		config_free(&file);
		config_free(&state);
	} else {
		rc = -1;
	}
	kernel_close(&kernel);
	if (services && *services)
		drained_warn(role, request, services);
	free(services);
	return rc ? cli_failed(role, &fault_is) : EXIT_DONE;
}

int verb_drain(const struct role *role, const struct options *options)
{
	struct request request = {.verb = "drain",
				  .options = options,
				  .what = OVERRIDE_STATE,
				  .drain = true};

	return change(role, &request);
}

int verb_undrain(const struct role *role, const struct options *options)
{
	struct request request = {.verb = "undrain",
				  .options = options,
				  .what = OVERRIDE_STATE,
				  .drain = false};

	return change(role, &request);
}

int verb_weight(const struct role *role, const struct options *options)
{
	const struct key *key = key_find(LEVEL_BACKEND, "weight", 6);
	struct config_backend said = {0};
	struct fault fault_is = {0};
	char problem[PROBLEM_SIZE];
	struct request request = {
		.verb = "weight", .options = options, .what = OVERRIDE_WEIGHT};

	if (value_store(key, options->arguments[1],
			strlen(options->arguments[1]), &said, problem)) {
		fault(&fault_is, "cannot set %s", problem);
		return cli_failed(role, &fault_is);
	}
	request.weight = said.weight;
	return change(role, &request);
}

int verb_save(const struct role *role, const struct options *options)
{
	struct fault fault_is = {0};
	struct config state;
	struct kernel kernel;
	int rc, left = KERNEL_READS;
	bool changed;

	(void)options;
	do {
		rc = kernel_open(&kernel, role, ACCESS_READ, &fault_is)
			     ?: file_running(&kernel, NULL, &state, &fault_is);
		changed = kernel_changed(&kernel) && left--;
		kernel_close(&kernel);
		if (changed && !rc)
			config_free(&state);
	} while (changed);
	if (rc)
		return cli_failed(role, &fault_is);
	config_write(&state, stdout);
	config_free(&state);
	return EXIT_DONE;
}
