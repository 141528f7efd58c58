// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_draft.c - one round, of all services
 *
 * What belongs to no service is as wanted from the first step on.
 */
#include "common/config/plan_draft.h"

#include <stdlib.h>
#include <string.h>

#include "common/config/method_names.h"
#include "common/config/transition.h"
#include "common/core/address.h"

static size_t backends_in(const struct config *config)
{
	size_t i, count = 0;

	for (i = 0; i < config->service_count; i++)
		count += config->services[i].backend_count;
	return count;
}

void draft_free(struct draft *draft)
{
	free(draft->config.services);
	free(draft->config.lb_sources);
	free(draft->backends);
	free(draft->left_out);
}

/* Senders that either file has: none is refused while one follows the other. */
static void join_sources(struct config *config, const struct config *running,
			 const struct config *wanted)
{
	struct prefix *sources = config->lb_sources;
	size_t i, j, count = wanted->lb_source_count;

	if (count)
		memcpy(sources, wanted->lb_sources, count * sizeof(*sources));
	for (i = 0; i < running->lb_source_count; i++) {
		for (j = 0; j < count; j++) {
			if (!memcmp(&sources[j], &running->lb_sources[i],
				    sizeof(*sources)))
				break;
		}
		if (j == count && count < MAX_SOURCES)
			sources[count++] = running->lb_sources[i];
	}
	config->lb_source_count = count;
}

int draft_open(struct draft *draft)
{
	const struct config *running = draft->running, *wanted = draft->wanted;
	size_t services = running->service_count + wanted->service_count;

	draft->config = *wanted;
	draft->config.service_count = 0;
	draft->config.services =
		calloc(services, sizeof(*draft->config.services));
	draft->config.lb_sources =
		calloc(MAX_SOURCES, sizeof(*draft->config.lb_sources));
	draft->backends = calloc(backends_in(running) + backends_in(wanted),
				 sizeof(*draft->backends));
	draft->left_out = calloc(services, sizeof(*draft->left_out));
	if (!draft->config.services || !draft->config.lb_sources ||
	    !draft->backends || !draft->left_out)
		return -1;
	join_sources(&draft->config, running, wanted);
	return 0;
}

/* Does a service of any port lose this port to one that only `new` has? */
static bool loses_port(const struct config *old, const struct config *new,
		       const struct config_service *any)
{
	const struct config_service *service = new->services;
	size_t i;

	for (i = 0; !any->port && i < new->service_count; i++, service++) {
		if (service->port && service->protocol == any->protocol &&
		    !memcmp(&service->vip, &any->vip, sizeof(any->vip)) &&
		    !config_service_like(old, service))
			return true;
	}
	return false;
}

static bool has_two_families(const struct config_service *service)
{
	size_t i;

	for (i = 1; i < service->backend_count; i++) {
		if (addr_is_v4(&service->backends[i].address) !=
		    addr_is_v4(&service->backends[0].address))
			return true;
	}
	return false;
}

/*
 * Does the method change before the pool: can the change go in rounds by the
 * new one alone, or have backends the wrong family for the old one?
 */
static bool method_first(struct config_service *both,
			 const struct config_service *running,
			 const struct config_service *wanted)
{
	bool in_rounds;

	if (!memcmp(&running->method, &wanted->method, sizeof(struct method)))
		return false;
	plan_union(both, running, wanted);
	if (!method_crosses(&running->method) && has_two_families(both))
		return true;
	both->method = running->method;
	in_rounds = plan_in_rounds(both, running, wanted);
	both->method = wanted->method;
	return !in_rounds && plan_in_rounds(both, running, wanted);
}

/*
 * Flows have to be remembered before what comes: it is removed, or they could
 * not be found at other backends.
 */
static bool must_remember(const struct draft *draft, bool in_rounds,
			  const struct config_service *running,
			  const struct config_service *wanted)
{
	return running->flows == FLOWS_SECOND_CHANCE &&
	       (!wanted || !in_rounds ||
		loses_port(draft->running, draft->wanted, running));
}

static void copy_backends(struct config_service *service,
			  const struct config_service *from)
{
	service->backend_count = from->backend_count;
	memcpy(service->backends, from->backends,
	       from->backend_count * sizeof(*from->backends));
}

/* As it runs. */
static void keep(struct config_service *service,
		 const struct config_service *running)
{
	struct config_backend *room = service->backends;

	*service = *running;
	service->backends = room;
	copy_backends(service, running);
}

/* Does the method change in this round? Then nothing else does. */
static bool method_changes(struct draft *draft, struct config_service *service,
			   const struct config_service *running,
			   const struct config_service *wanted)
{
	struct config_service both = *service;

	if (!method_first(&both, running, wanted))
		return false;
	keep(service, running);
	if (draft->round == ROUND_BEGIN && !is_in_transition(running))
		service->method = wanted->method;
	else if (draft->round == ROUND_END)
		plan_pool(service, running, running, ROUND_END);
	return true;
}

static void further(struct draft *draft, struct config_service *service,
		    const struct config_service *running,
		    const struct config_service *wanted)
{
	struct config_backend *room = service->backends;
	bool in_rounds;

	*service = *wanted;
	service->backends = room;
	service->method = running->method;
	if (method_changes(draft, service, running, wanted))
		return;
	if (running->flows == FLOWS_REMEMBER)
		service->flows = FLOWS_REMEMBER;
	plan_union(service, running, wanted);
	in_rounds = plan_in_rounds(service, running, wanted);
	if (must_remember(draft, in_rounds, running, wanted)) {
		keep(service, running);
		service->flows = FLOWS_REMEMBER;
	} else if (in_rounds) {
		plan_pool(service, running, wanted, draft->round);
	} else {
		plan_at_once(service, running, wanted, draft->round);
	}
}

/* Adds the service, as it is after the round; or leaves it out. */
static void service_add(struct draft *draft, struct config_backend **room,
			const struct config_service *running,
			const struct config_service *wanted)
{
	struct config *config = &draft->config;
	struct config_service *service =
		&config->services[config->service_count];
	size_t place = (size_t)(running ? running - draft->running->services
					: wanted - draft->wanted->services +
						  (ptrdiff_t)draft->running
							  ->service_count);

	service->backends = *room;
	if (draft->left_out[place] || (running && !wanted)) {
		if (!running ||
		    (draft->round == ROUND_END && !draft->left_out[place] &&
		     running->flows == FLOWS_REMEMBER))
			return;
		keep(service, running);
		if (!wanted)
			service->flows = FLOWS_REMEMBER;
	} else if (running) {
		further(draft, service, running, wanted);
	} else {
		*service = *wanted;
		service->backends = *room;
		copy_backends(service, wanted);
	}
	*room += service->backend_count;
	config->service_count++;
}

/* A new service waits until flows at its port are remembered. */
static bool has_to_wait(const struct draft *draft,
			const struct config_service *wanted)
{
	struct config_service any = *wanted;
	const struct config_service *running;

	any.port = 0;
	running = config_service_like(draft->running, &any);
	return wanted->port && running && running->flows == FLOWS_SECOND_CHANCE;
}

void draft_fill(struct draft *draft)
{
	const struct config *running = draft->running, *wanted = draft->wanted;
	struct config_backend *room = draft->backends;
	const struct config_service *service;
	size_t i;

	draft->config.service_count = 0;
	for (i = 0; i < running->service_count; i++) {
		service = &running->services[i];
		service_add(draft, &room, service,
			    config_service_like(wanted, service));
	}
	/* What was left out before may come when what ends is gone. */
	for (i = 0; draft->round == ROUND_BEGIN && i < wanted->service_count;
	     i++) {
		service = &wanted->services[i];
		if (!config_service_like(running, service) &&
		    !has_to_wait(draft, service))
			service_add(draft, &room, NULL, service);
	}
}
