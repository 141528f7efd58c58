// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/transition.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/base/address.h"

__u16 weight_before(const struct config_backend *backend)
{
	if (backend->state == STATE_FILLING)
		return 0;
	return backend->weight_before ?: backend->weight;
}

__u16 weight_after(const struct config_backend *backend)
{
	return backend->drain ? 0 : backend->weight;
}

static bool is_in_transition(const struct config_backend *backend)
{
	return weight_before(backend) != weight_after(backend);
}

static size_t in_transition(const struct config_service *service)
{
	size_t i, count = 0;

	for (i = 0; i < service->backend_count; i++)
		count += is_in_transition(&service->backends[i]);
	return count;
}

bool has_second_chance(const struct config_service *service)
{
	size_t count = in_transition(service);

	return count && count <= MOST_IN_TRANSITION &&
	       method_overwrites_vip(&service->method) &&
	       service->protocol == IPPROTO_TCP &&
	       scheduler_is_function(service->scheduler);
}

static int settle(struct config_backend *backend, const struct refusal *refusal)
{
	char text[INET6_ADDRSTRLEN];

	if (backend->state == STATE_DRAINING) {
		backend->drain = true;
		backend->state = STATE_ACTIVE;
	}
	if (backend->weight_before == backend->weight)
		backend->weight_before = 0;
	if (backend->weight_before &&
	    (backend->drain || backend->state == STATE_FILLING))
		return refuse(
			refusal, backend->line,
			"backend %s: weight-before is for one that is "
			"active: one that fills or drains has two weights "
			"already",
			addr_text(&backend->address, text));
	return 0;
}

/*
 * A file could always have any number that drain. More than MOST_IN_TRANSITION
 * are refused where the file has what needs second chance.
 */
static int refuse_many(const struct config_service *service,
		       const struct refusal *refusal)
{
	const struct config_backend *backend = service->backends;
	char text[MOST_IN_TRANSITION + 1][INET6_ADDRSTRLEN];
	size_t i, found = 0;
	bool drain_only = true;

	for (i = 0; i < service->backend_count; i++)
		drain_only &=
			backend[i].drain || !is_in_transition(&backend[i]);
	if (drain_only || in_transition(service) <= MOST_IN_TRANSITION)
		return 0;
	for (i = 0; found <= MOST_IN_TRANSITION; i++) {
		if (is_in_transition(&backend[i]))
			addr_text(&backend[i].address, text[found++]);
	}
	return refuse(refusal, backend[i - 1].line,
		      "backend %s: at most %d backends of a service may be in "
		      "transition (filling, draining, weight-before), and %s, "
		      "%s and %s already are; wait until one is active or gone",
		      text[3], MOST_IN_TRANSITION, text[0], text[1], text[2]);
}

int transitions_settle(struct config *config, const struct refusal *refusal)
{
	struct config_service *service = config->services;
	size_t s, b;

	for (s = 0; s < config->service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			if (settle(&service->backends[b], refusal))
				return -1;
		}
		if (refuse_many(service, refusal))
			return -1;
	}
	return 0;
}
