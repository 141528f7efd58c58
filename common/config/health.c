// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/health.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/keys.h"
#include "common/config/method_names.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/inline.h"

enum health_finding health_verdict(const struct config_check *check,
				   enum outcome path, enum outcome application,
				   bool silent)
{
	if (path == OUTCOME_BAD)
		return FINDING_PATH_DOWN;
	if (path == OUTCOME_UNKNOWN)
		return silent ? FINDING_UP : FINDING_NONE;
	if (application == OUTCOME_BAD)
		return FINDING_APPLICATION_DOWN;
	return check->application_port && application == OUTCOME_UNKNOWN
		       ? FINDING_NONE
		       : FINDING_UP;
}

bool health_is_answer(int error)
{
	return error == ECONNREFUSED || error == ECONNRESET || error == EPIPE;
}

bool health_is_own_lack(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM ||
	       error == ENOBUFS || error == EADDRINUSE ||
	       error == EADDRNOTAVAIL || error == EPERM;
}

bool health_is_down(const struct health *health)
{
	return health->finding == FINDING_PATH_DOWN ||
	       health->finding == FINDING_APPLICATION_DOWN;
}

bool health_note(struct health *health, const struct config_check *check,
		 __u8 finding)
{
	bool known = health->finding != FINDING_NONE;
	__u32 rise = known ? check->rise : 1, fall = known ? check->fall : 1;
	__u8 was = health->finding;

	if (finding == FINDING_NONE)
		return false;
	health->good = finding == FINDING_UP ? health->good + 1 : 0;
	health->bad = finding == FINDING_UP ? 0 : health->bad + 1;
	health->path_bad =
		finding == FINDING_PATH_DOWN ? health->path_bad + 1 : 0;
	health->path_good =
		finding == FINDING_PATH_DOWN ? 0 : health->path_good + 1;
	if (health->good >= rise)
		health->finding = FINDING_UP;
	else if (health->path_bad >= fall)
		health->finding = FINDING_PATH_DOWN;
	else if (was == FINDING_PATH_DOWN ? health->path_good >= rise
					  : health->bad >= fall)
		health->finding = FINDING_APPLICATION_DOWN;
	return health->finding != was;
}

__u32 health_pause(const struct config_check *check, bool good)
{
	return good ? check->interval : check->interval - check->timeout;
}

enum heartbeat_use health_heartbeats(const struct config_check *check)
{
	return check->type == CHECK_HEARTBEAT ? HEARTBEATS_ALONE
					      : check->heartbeats;
}

void health_local(const struct config_service *service,
		  struct config_check *local)
{
	*local = service->check;
	local->line = 0;
	if (local->type != CHECK_HEARTBEAT)
		return;
	/* Not every server answers an empty datagram; a closed port does. */
	local->type = service->protocol == IPPROTO_UDP ? CHECK_UDP : CHECK_TCP;
	local->no_answer = NO_ANSWER_UP;
}

bool heartbeats_wanted(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (health_heartbeats(&config->services[i].check))
			return true;
	}
	return false;
}

bool addr_is_group(const struct addr *address)
{
	return addr_is_v4(address) ? bpf_ntohl(address->w[3]) >> 28 == 0xe
				   : bpf_ntohl(address->w[0]) >> 24 == 0xff;
}

int heartbeat_targets(const struct config *config,
		      struct addr targets[HEARTBEAT_TARGETS])
{
	size_t i;

	for (i = 0; i < config->heartbeat_to_count; i++)
		targets[i] = config->heartbeat_to[i].address;
	if (i)
		return (int)i;
	addr_parse(HEARTBEAT_GROUP_IPV4, &targets[0]);
	addr_parse(HEARTBEAT_GROUP_IPV6, &targets[1]);
	return 2;
}

int health_refuse_targets(const struct config *config,
			  const struct refusal *refusal)
{
	char text[INET6_ADDRSTRLEN];
	size_t i, j;

	for (i = 0; i < config->heartbeat_to_count; i++) {
		const struct addr *to = &config->heartbeat_to[i].address;

		for (j = 0; j < config->service_count; j++) {
			if (addr_equal(to, &config->services[j].vip))
				return refuse(
					refusal, config->services[j].line,
					"vip %s: heartbeat-to names it; name "
					"each load balancer's own address",
					addr_text(to, text));
		}
	}
	return 0;
}

int health_refuse(const struct config_service *service,
		  const struct refusal *refusal)
{
	const struct config_check *check = &service->check;
	bool udp = service->protocol == IPPROTO_UDP;
	char type[ALLOWED_SIZE];

	if (check->type == CHECK_NONE)
		return 0;
	if (check->type != CHECK_HEARTBEAT && udp != (check->type == CHECK_UDP))
		return refuse(refusal, check->line,
			      "check: a service of %s is checked by %s, not by "
			      "%s",
			      udp ? "udp" : "tcp",
			      udp ? "udp or heartbeat"
				  : "tcp, http, https or heartbeat",
			      key_types(TYPE(check->type), type));
	if (!service->port != !!check->port)
		return refuse(refusal, check->line,
			      service->port
				      ? "check: port must be left out; it is "
					"the service's"
				      : "check: port must be named, because "
					"the service is of any port");
	if (check->timeout > check->interval / 2)
		return refuse(refusal, check->line,
			      "check: timeout must be at most half of "
			      "interval, which is %ums",
			      check->interval);
	if (check->path[0] != '/')
		return refuse(refusal, check->line,
			      "check: path must begin with /");
	return 0;
}

/*
 * A port of a backend's own address from which clients' packets are restored.
 */
struct restored {
	struct addr address;
	__be16 port; /* 0: any */
	__be16 zero;
	const struct config_service *service;
};

static int by_address_port(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct restored, service));
}

static size_t restored_of(const struct config *config,
			  struct restored *restored)
{
	const struct config_service *service = config->services;
	size_t i, j, count = 0;

	for (i = 0; i < config->service_count; i++, service++) {
		if (service->protocol != IPPROTO_TCP ||
		    !method_is_by_address(&service->method))
			continue;
		for (j = 0; j < service->backend_count; j++) {
			restored[count++] = (struct restored){
				.address = service->backends[j].address,
				.port = service->port,
				.service = service,
			};
		}
	}
	qsort(restored, count, sizeof(*restored), by_address_port);
	return count;
}

/* A packet to that port is taken for a client's, and answered from the VIP. */
static int refuse_restored(const struct config_service *service,
			   const struct restored *restored, size_t count,
			   const struct refusal *refusal)
{
	const struct restored *found = NULL;
	char address[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < service->backend_count && !found; i++) {
		struct restored key = {.address = service->backends[i].address};

		found = bsearch(&key, restored, count, sizeof(key),
				by_address_port);
		key.port = service->check.application_port;
		found = found
				?: bsearch(&key, restored, count, sizeof(key),
					   by_address_port);
	}
	if (!found)
		return 0;
	return refuse(refusal, service->check.line,
		      "check: application-port %u of %s is restored by %s for "
		      "the service on line %u; take a port that is no "
		      "service's",
		      bpf_ntohs(service->check.application_port),
		      addr_text(&found->address, address),
		      method_name(&found->service->method),
		      found->service->line);
}

int health_refuse_ports(const struct config *config,
			const struct refusal *refusal)
{
	struct restored *restored;
	size_t count = 0, i;
	int result = 0;

	for (i = 0; i < config->service_count; i++)
		count += config->services[i].backend_count;
	restored = calloc(count + 1, sizeof(*restored));
	if (!restored)
		return refuse_memory(refusal);
	count = restored_of(config, restored);
	for (i = 0; i < config->service_count && !result; i++) {
		if (config->services[i].check.application_port)
			result = refuse_restored(&config->services[i], restored,
						 count, refusal);
	}
	free(restored);
	return result;
}
