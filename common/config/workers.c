// SPDX-License-Identifier: GPL-2.0-only
/* workers.c - see workers.h */
#include "common/config/workers.h"

#include <netinet/in.h>

#include "common/base/address.h"
#include "common/core/address.h"
#include "common/core/inline.h"

static bool is_workers(const struct config_service *service)
{
	return service->scheduler == SCHEDULER_WORKERS;
}

/* Keys that only workers have. */
static int check_others(const struct config_service *service,
			const struct refusal *refusal)
{
	const char *key = service->threads	  ? "threads"
			  : service->release	  ? "release"
			  : *service->release_key ? "release-key"
						  : NULL;

	if (!key)
		return 0;
	return refuse(refusal, service->line,
		      "%s: only with scheduler: workers", key);
}

/* What workers cannot be combined with. */
static int check_kind(const struct config_service *service,
		      const struct refusal *refusal)
{
	const char *why = NULL;

	if (service->protocol != IPPROTO_UDP)
		why = "for udp only: a request is one datagram";
	else if (service->flows != FLOWS_REMEMBER)
		why = "not with flows: second-chance: a request is no flow";
	else if (service->by_address)
		why = "not with fragments: by-address: a request is one "
		      "datagram, and not a fragment of one";
	else if (!service->port)
		why = "not with port: any: a request has one port";
	if (!why)
		return 0;
	return refuse(refusal, service->line, "scheduler: workers is %s", why);
}

static int check_keys(const struct config_service *service,
		      const struct refusal *refusal)
{
	if (!service->threads)
		return refuse(refusal, service->line,
			      "service without the key \"threads\", which "
			      "scheduler: workers requires: a number from 1 to "
			      "%d",
			      MAX_THREADS);
	if (!service->release)
		return refuse(refusal, service->line,
			      "service without the key \"release\", which "
			      "scheduler: workers requires: a port");
	if (service->backend_count > MAX_POOL_MEMBERS)
		return refuse(refusal, service->line,
			      "scheduler: workers is for at most %d backends",
			      MAX_POOL_MEMBERS);
	if (service->load_balancers > service->threads)
		return refuse(refusal, service->line,
			      "load-balancers %u: at most %u, its "
			      "threads, or one of them has no thread",
			      service->load_balancers, service->threads);
	return 0;
}

/* Threads say what a backend can take. */
static int check_weights(const struct config_service *service,
			 const struct refusal *refusal)
{
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		if (service->backends[i].weight == 1)
			continue;
		return refuse(refusal, service->backends[i].line,
			      "weight %u: not with scheduler: workers, which "
			      "goes by free threads",
			      service->backends[i].weight);
	}
	return 0;
}

/* The service that has the same port for messages, on an earlier line. */
static int check_release(const struct config *config,
			 const struct config_service *service,
			 const struct refusal *refusal)
{
	const struct config_service *other = config->services;

	for (; other < service; other++) {
		if (!is_workers(other) || other->release != service->release)
			continue;
		return refuse(refusal, service->line,
			      "release %u: the service on line %u has this "
			      "port",
			      bpf_ntohs(service->release), other->line);
	}
	return 0;
}

/* Can the messages about this service be sent, if `release-to` is there? */
static int check_told(const struct config *config,
		      const struct config_service *service,
		      const struct refusal *refusal)
{
	const bool is_v4 = addr_is_v4(&service->vip);
	bool is_told = false;
	size_t i;

	for (i = 0; i < config->release_to_count; i++)
		is_told |= addr_is_v4(&config->release_to[i].address) == is_v4;
	if (!config->release_to_count)
		return 0;
	if (!is_told)
		return refuse(
			refusal, service->line,
			"release-to: has no %s address, to which messages "
			"about this service could go",
			is_v4 ? "IPv4" : "IPv6");
	for (i = 0; i < service->backend_count; i++) {
		if (addr_is_v4(&service->backends[i].address) != is_v4)
			return refuse(refusal, service->backends[i].line,
				      "release-to: not with a backend of "
				      "another family than the VIP");
		if (service->backends[i].restore != RESTORE_LO)
			return refuse(refusal, service->backends[i].line,
				      "release-to: not with restore: tc; its "
				      "replies are not from the VIP");
	}
	return 0;
}

static int check_addresses(const struct config *config,
			   const struct refusal *refusal)
{
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < config->release_to_count; i++) {
		const struct prefix *each = &config->release_to[i];

		if (each->bits == 128)
			continue;
		return refuse(refusal, 0,
			      "release-to: must be addresses, not the prefix "
			      "of %s",
			      addr_text(&each->address, text));
	}
	return 0;
}

int workers_check(const struct config *config, const struct refusal *refusal)
{
	const struct config_service *service = config->services;
	int result = check_addresses(config, refusal);
	size_t i;

	for (i = 0; i < config->service_count && !result; i++, service++) {
		if (!is_workers(service))
			result = check_others(service, refusal);
		else
			result = check_kind(service, refusal)
					 ?: check_keys(service, refusal)
					 ?: check_weights(service, refusal)
					 ?: check_release(config, service,
							  refusal)
					 ?: check_told(config, service,
						       refusal);
	}
	return result;
}

void workers_warn(const struct config *config, FILE *out)
{
	const struct config_service *service = config->services;
	size_t i;

	for (i = 0; i < config->service_count; i++, service++) {
		if (!is_workers(service) || *service->release_key)
			continue;
		fprintf(out,
			"%s:%u: warning: without a release-key, whoever can "
			"send from a backend's address can free its threads\n",
			config->path, service->line);
	}
}
