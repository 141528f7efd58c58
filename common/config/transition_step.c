// SPDX-License-Identifier: GPL-2.0-only
/*
 * transition_step.c - may a file follow another one?
 *
 * Flows that nobody remembers are where the table put them. So a new file may
 * change a backend's weight only in a transition, in which the backends still
 * know the weight before.
 */
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/config/transition.h"
#include "common/core/inline.h"

struct step {
	const struct config_service *old, *new;
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int
refuse_step(const struct step *step, const char *format, ...)
{
	char service[64];
	int length;
	va_list args;

	length = snprintf(
		step->why, step->size, "flows of %s/%s would break: ",
		endpoint_text(&step->old->vip, step->old->port, service),
		protocol_name(step->old->protocol));
	va_start(args, format);
	if (length >= 0 && (size_t)length < step->size)
		vsnprintf(step->why + length, step->size - (size_t)length,
			  format, args);
	va_end(args);
	return -1;
}

/* What it has to be first, if its weight now is unknown to the new file. */
static int weight_step(const struct step *step,
		       const struct config_backend *old,
		       const struct config_backend *new)
{
	char text[INET6_ADDRSTRLEN];
	__u16 now = old ? old->after : 0;

	if (new ? now == new->before || now == new->after : !now)
		return 0;
	addr_text(new ? &new->address : &old->address, text);
	if (!new)
		return refuse_step(step,
				   "%s is removed; give it `state: draining` "
				   "first",
				   text);
	if (!now)
		return refuse_step(step,
				   "%s is new; give it `state: filling` first",
				   text);
	if (!new->after)
		return refuse_step(step,
				   "%s had the weight %u; drain it with "
				   "that weight",
				   text, now);
	return refuse_step(step,
			   "%s has the weight %u; give it `weight-before: %u` "
			   "first",
			   text, now, now);
}

/* Did this backend have the weight? Without a backend, it was 0. */
static bool knows(const struct config_backend *backend, __u16 weight)
{
	return backend ? weight == backend->before || weight == backend->after
		       : !weight;
}

/* Does `backend` have a weight, before or after, that `other` lacks? */
static bool differs(const struct config_backend *backend,
		    const struct config_backend *other)
{
	return !knows(other, backend->before) || !knows(other, backend->after);
}

/* Is that a table of the service, before or after? */
static bool knows_table(const struct config_service *service, __u32 size,
			__u8 scheduler)
{
	return (size == service->table_size &&
		scheduler == service->scheduler) ||
	       (size == size_before(service) &&
		scheduler == scheduler_before(service));
}

static int table_step(const struct step *step)
{
	const struct config_service *old = step->old, *new = step->new;

	if (knows_table(new, old->table_size, old->scheduler))
		return 0;
	if (!scheduler_is_function(new->scheduler))
		return refuse_step(step,
				   "%s is no function of the flow; "
				   "`flows: remember` first",
				   scheduler_name(new->scheduler));
	return refuse_step(
		step,
		"its table has the table-size %u, by %s; give it `was: "
		"{table-size: %u, scheduler: %s}` first",
		old->table_size, scheduler_name(old->scheduler),
		old->table_size, scheduler_name(old->scheduler));
}

/* Has the first a table that the second does not know? */
static bool table_differs(const struct config_service *service,
			  const struct config_service *other)
{
	return !knows_table(other, service->table_size, service->scheduler) ||
	       !knows_table(other, size_before(service),
			    scheduler_before(service));
}

/*
 * Does a transition of the old file end: is a weight forgotten? Does one of the
 * new file begin: is there another weight? One backend may do both: from 1 to
 * 2, and then from 2 to 3. Texts: whose; "": none does.
 */
static void ends_of(const struct step *step, char ends[INET6_ADDRSTRLEN],
		    char begins[INET6_ADDRSTRLEN])
{
	const struct config_backend *backend;
	size_t i;

	*ends = *begins = '\0';
	if (table_differs(step->old, step->new))
		strcpy(ends, "its table");
	if (table_differs(step->new, step->old))
		strcpy(begins, "its table");
	for (i = 0; i < step->old->backend_count; i++) {
		backend = &step->old->backends[i];
		if (differs(backend,
			    config_backend_of(step->new, &backend->address)))
			addr_text(&backend->address, ends);
	}
	for (i = 0; i < step->new->backend_count; i++) {
		backend = &step->new->backends[i];
		if (differs(backend,
			    config_backend_of(step->old, &backend->address)))
			addr_text(&backend->address, begins);
	}
}

static int service_step(const struct step *step)
{
	const struct config_service *old = step->old, *new = step->new;
	char ends[INET6_ADDRSTRLEN], begins[INET6_ADDRSTRLEN];
	size_t i;

	if (table_step(step))
		return -1;
	for (i = 0; i < old->backend_count; i++) {
		if (weight_step(
			    step, &old->backends[i],
			    config_backend_of(new, &old->backends[i].address)))
			return -1;
	}
	for (i = 0; i < new->backend_count; i++) {
		if (!config_backend_of(old, &new->backends[i].address) &&
		    weight_step(step, NULL, &new->backends[i]))
			return -1;
	}
	ends_of(step, ends, begins);
	if (!*ends || !*begins)
		return 0;
	if (!strcmp(ends, begins))
		return refuse_step(step,
				   "a transition of %s ends in the step in "
				   "which its next one begins; end it first",
				   ends);
	return refuse_step(step,
			   "the transition of %s ends in the step in which "
			   "that of %s begins; end it first",
			   ends, begins);
}

/* A port of its own takes the flows that a service of any port has there. */
static int ports_step(const struct step *step, const struct config *old,
		      const struct config *new)
{
	const struct config_service *service = new->services;
	size_t i;

	for (i = 0; !step->old->port && i < new->service_count;
	     i++, service++) {
		if (service->port && service->protocol == step->old->protocol &&
		    !memcmp(&service->vip, &step->old->vip,
			    sizeof(service->vip)) &&
		    !config_service_like(old, service))
			return refuse_step(
				step,
				"port %u gets a service of its own, and nobody "
				"remembers them; `flows: remember` first",
				bpf_ntohs(service->port));
	}
	return 0;
}

int transition_step(const struct config *old, const struct config *new,
		    char *why, size_t size)
{
	struct step step = {.why = why, .size = size};
	size_t i;

	for (i = 0; i < old->service_count; i++) {
		step.old = &old->services[i];
		if (step.old->flows != FLOWS_SECOND_CHANCE)
			continue;
		step.new = config_service_like(new, step.old);
		if (!step.new)
			return refuse_step(&step, "it is removed, and nobody "
						  "remembers them; `flows: "
						  "remember` first");
		if (service_step(&step) || ports_step(&step, old, new))
			return -1;
	}
	return 0;
}
