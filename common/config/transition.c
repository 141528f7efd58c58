// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/transition.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/method_names.h"
#include "common/core/address.h"
#include "common/core/scheduler.h"

static bool changes(const struct config_backend *backend)
{
	return backend->before != backend->after;
}

static size_t in_transition(const struct config_service *service)
{
	size_t i, count = table_changes(service);

	for (i = 0; i < service->backend_count; i++)
		count += changes(&service->backends[i]);
	return count;
}

/* Then a backend can write another one's address into an outer header. */
static bool has_one_family(const struct config_service *service)
{
	bool ipv4 = addr_is_v4(&service->backends[0].address);
	size_t i;

	for (i = 1; i < service->backend_count; i++) {
		if (addr_is_v4(&service->backends[i].address) != ipv4)
			return false;
	}
	return true;
}

bool can_have_second_chance(const struct config_service *service)
{
	return (!method_encapsulates(&service->method) ||
		has_one_family(service)) &&
	       service->protocol == IPPROTO_TCP &&
	       scheduler_is_function(service->scheduler);
}

bool is_in_transition(const struct config_service *service)
{
	size_t count = in_transition(service);

	return count && count <= MOST_IN_TRANSITION &&
	       can_have_second_chance(service);
}

bool has_second_chance(const struct config_service *service)
{
	return is_in_transition(service) ||
	       (service->chance == CHANCE_ALWAYS && !in_transition(service) &&
		can_have_second_chance(service));
}

const char *transition_text(const struct config_service *service,
			    char text[TRANSITION_TEXT])
{
	char address[INET6_ADDRSTRLEN];
	size_t i, used = 0;

	*text = '\0';
	if (table_changes(service))
		used = (size_t)sprintf(text, "its table");
	for (i = 0; i < service->backend_count; i++) {
		if (!changes(&service->backends[i]) ||
		    used + INET6_ADDRSTRLEN + 2 > TRANSITION_TEXT)
			continue;
		addr_text(&service->backends[i].address, address);
		used += (size_t)sprintf(text + used, "%s%s", used ? ", " : "",
					address);
	}
	return text;
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
	backend->after = backend->drain ? 0 : backend->weight;
	backend->before = backend->weight_before ?: backend->weight;
	if (backend->state == STATE_FILLING)
		backend->before = 0;
	return 0;
}

/* Leaves out of `was` what is as it was. */
static void settle_table(struct config_service *service)
{
	if (!table_changes(service)) {
		memset(&service->was, 0, sizeof(service->was));
		return;
	}
	if (service->was.table_size == service->table_size)
		service->was.table_size = 0;
	if (scheduler_before(service) == service->scheduler)
		service->was.scheduler = 0;
}

/* Keys that mean nothing where there can be no second chance. */
static int refuse_keys(const struct config_service *service,
		       const struct refusal *refusal)
{
	char methods[METHODS_TEXT];

	if ((!table_changes(service) && service->chance == CHANCE_TRANSITION) ||
	    can_have_second_chance(service))
		return 0;
	return refuse(refusal,
		      table_changes(service) ? service->was.line
					     : service->line,
		      "%s: only of a service whose backends can look for "
		      "flows at each other: for tcp, with %s (by %s, to "
		      "backends of one family)",
		      table_changes(service) ? "was" : "second-chance: always",
		      SCHEDULER_FUNCTIONS,
		      methods_text(method_encapsulates, " or ", methods));
}

/*
 * Where there is no second chance, states only say who gets new flows. And a
 * file could always have any number that drain. Elsewhere more than
 * MOST_IN_TRANSITION are refused.
 */
static int refuse_many(const struct config_service *service,
		       const struct refusal *refusal)
{
	const struct config_backend *backend = service->backends;
	char text[MOST_IN_TRANSITION + 1][INET6_ADDRSTRLEN];
	bool drain_only =
		service->flows == FLOWS_REMEMBER && !table_changes(service);
	size_t i, found = 0;

	if (!can_have_second_chance(service))
		return 0;
	for (i = 0; i < service->backend_count; i++)
		drain_only &= backend[i].drain || !changes(&backend[i]);
	if (drain_only || in_transition(service) <= MOST_IN_TRANSITION)
		return 0;
	if (table_changes(service))
		strcpy(text[found++], "its table");
	for (i = 0; found <= MOST_IN_TRANSITION; i++) {
		if (changes(&backend[i]))
			addr_text(&backend[i].address, text[found++]);
	}
	return refuse(
		refusal, backend[i - 1].line,
		"backend %s: at most %d of a service may be in transition "
		"(filling, draining, weight-before; its table: was), and "
		"%s, %s and %s already are; wait until one is done",
		text[3], MOST_IN_TRANSITION, text[0], text[1], text[2]);
}

static int refuse_flows(const struct config_service *service,
			const struct refusal *refusal)
{
	char methods[METHODS_TEXT];

	if (service->flows == FLOWS_REMEMBER)
		return 0;
	if (can_have_second_chance(service) &&
	    service->on_all_down != ALL_DOWN_PASS)
		return 0;
	if (can_have_second_chance(service))
		return refuse(refusal, service->line,
			      "flows: second-chance: on-all-down may be all or "
			      "drop; pass needs remember");
	return refuse(refusal, service->line,
		      "flows: second-chance is for tcp, with %s (by %s, to "
		      "backends of one family); the others need remember",
		      SCHEDULER_FUNCTIONS,
		      methods_text(method_encapsulates, " or ", methods));
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
		settle_table(service);
		if (refuse_keys(service, refusal) ||
		    refuse_many(service, refusal) ||
		    refuse_flows(service, refusal))
			return -1;
	}
	return 0;
}
