// SPDX-License-Identifier: GPL-2.0-only
/*
 * conflicts.c - see conflicts.h
 *
 * Everything is sorted and compared with its neighbours, because a file may
 * have thousands of each. Of several faults of one kind the first in the file
 * is reported, as if it had been read line by line.
 */
#include "common/config/conflicts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/announce.h"
#include "common/config/health.h"
#include "common/config/method_names.h"
#include "common/config/methods.h"
#include "common/config/restore.h"
#include "common/config/workers.h"
#include "common/config/values.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"

/* What one entry of the file claims for itself. */
struct claim {
	struct addr address;
	__u8 protocol;
	__u16 port;
	__u8 told_by; /* see below */
	size_t order; /* in the file */
	const struct config_service *service;
	const struct config_backend *backend;
};

/*
 * How a backend identifies a packet's service, besides address, protocol and
 * port: 0 by nothing, a DSCP, or everything (the VIP is in the packet).
 */
#define TOLD_BY_VIP 64

static __u8 told_by(const struct method *method)
{
	/* Nothing is restored: the packets are another load balancer's. */
	if (!method_is_restored(method))
		return TOLD_BY_VIP;
	return method_keeps_vip(method) ? TOLD_BY_VIP : method->dscp;
}

/* Two claims that exclude each other; `later` NULL: none found yet. */
struct clash {
	const struct claim *first;
	const struct claim *later;
};

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left;
	const struct claim *b = right;
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	if (order)
		return order;
	if (a->protocol != b->protocol)
		return a->protocol < b->protocol ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->told_by != b->told_by)
		return a->told_by < b->told_by ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static bool same_protocol(const struct claim *a, const struct claim *b)
{
	return addr_equal(&a->address, &b->address) &&
	       a->protocol == b->protocol;
}

static bool same_claim(const struct claim *a, const struct claim *b)
{
	return same_protocol(a, b) && a->port == b->port;
}

static void note_clash(struct clash *clash, const struct claim *a,
		       const struct claim *b)
{
	const struct claim *later = a->order > b->order ? a : b;

	if (clash->later && clash->later->order <= later->order)
		return;
	clash->later = later;
	clash->first = later == a ? b : a;
}

#define SERVICE_TEXT_SIZE (INET6_ADDRSTRLEN + 32)

/* "tcp 192.0.2.1 port 80" */
static const char *service_text(const struct config_service *service,
				char text[SERVICE_TEXT_SIZE])
{
	const char *protocol = service->protocol == IPPROTO_TCP ? "tcp" : "udp";
	char address[INET6_ADDRSTRLEN];

	addr_text(&service->vip, address);
	if (service->port)
		snprintf(text, SERVICE_TEXT_SIZE, "%s %s port %u", protocol,
			 address, bpf_ntohs(service->port));
	else
		snprintf(text, SERVICE_TEXT_SIZE, "%s %s port any", protocol,
			 address);
	return text;
}

static int check_services(const struct claim *claims, size_t count,
			  const struct refusal *refusal)
{
	char text[SERVICE_TEXT_SIZE];
	struct clash clash = {};

	for (size_t i = 1; i < count; i++)
		if (same_claim(&claims[i - 1], &claims[i]))
			note_clash(&clash, &claims[i - 1], &claims[i]);
	if (!clash.later)
		return 0;
	return refuse(refusal, clash.later->service->line,
		      "service %s is repeated; the first is on line %u, and "
		      "its backends belong there",
		      service_text(clash.later->service, text),
		      clash.first->service->line);
}

/*
 * A fragment has no port, so a service that takes fragments without one must be
 * alone. Ports sort behind address and protocol.
 */
static int check_by_address(const struct claim *claims, size_t count,
			    const struct refusal *refusal)
{
	char text[SERVICE_TEXT_SIZE], other[SERVICE_TEXT_SIZE];
	const struct claim *claim, *beside;

	for (claim = claims; claim < claims + count; claim++) {
		if (!claim->service->by_address)
			continue;
		service_text(claim->service, text);
		if (claim->protocol != IPPROTO_UDP)
			return refuse(refusal, claim->service->line,
				      "service %s: fragments: by-address is "
				      "for udp only",
				      text);
		beside = claim + 1;
		if (beside == claims + count || !same_protocol(beside, claim))
			beside = claim - 1;
		if (beside < claims || !same_protocol(beside, claim))
			continue;
		return refuse(refusal, claim->service->line,
			      "service %s: fragments: by-address is for the "
			      "only udp service of a VIP, and %s is on line %u",
			      text, service_text(beside->service, other),
			      beside->service->line);
	}
	return 0;
}

static int compare_address(const void *key, const void *element)
{
	const struct claim *claim = element;

	return memcmp(key, &claim->address, sizeof(claim->address));
}

/* A packet rewritten to a VIP would return to a load balancer. */
static int check_vips(const struct config_service *service,
		      const struct claim *vips, size_t count,
		      const struct refusal *refusal)
{
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < service->backend_count; i++) {
		const struct config_backend *backend = &service->backends[i];
		const struct claim *vip =
			bsearch(&backend->address, vips, count, sizeof(*vips),
				compare_address);

		if (vip)
			return refuse(refusal, backend->line,
				      "backend %s: must not be a VIP, and the "
				      "service on line %u has it",
				      addr_text(&backend->address, text),
				      vip->service->line);
	}
	return 0;
}

static int refuse_backends(const struct clash *clash,
			   const struct refusal *refusal)
{
	char address[INET6_ADDRSTRLEN];
	char later[SERVICE_TEXT_SIZE];
	char first[SERVICE_TEXT_SIZE];
	char kept[METHODS_TEXT], marked[METHODS_TEXT];

	addr_text(&clash->later->address, address);
	if (clash->later->service == clash->first->service)
		return refuse(refusal, clash->later->backend->line,
			      "backend %s is repeated in this service; the "
			      "first is on line %u, where a weight gives it a "
			      "larger share",
			      address, clash->first->backend->line);
	return refuse(refusal, clash->later->backend->line,
		      "backend %s could not tell %s from %s on line %u; give "
		      "one of them another port, another backend address, or "
		      "a method that tells the VIP (forward: %s; %s for both)",
		      address, service_text(clash->later->service, later),
		      service_text(clash->first->service, first),
		      clash->first->backend->line,
		      methods_text(method_keeps_vip, " or ", kept),
		      methods_text(method_is_by_mark, " or ", marked));
}

/*
 * The first of two entries that a packet's address, protocol and port may both
 * mean. A service without a mark takes packets with any mark, because it may be
 * the client's.
 */
static bool told_apart(const struct claim *a, const struct claim *b)
{
	if (a->service == b->service)
		return false;
	if (a->told_by == TOLD_BY_VIP || b->told_by == TOLD_BY_VIP)
		return true;
	/* One mark is one VIP: see methods.c. */
	return a->told_by && b->told_by;
}

static void compare_two(struct clash *clash, const struct claim *a,
			const struct claim *b)
{
	if (!told_apart(a, b))
		note_clash(clash, a, b);
}

/*
 * Within an address and protocol, port 0 (any) sorts first; within a port,
 * entries without a mark. So it is enough to compare with the first of each,
 * and with the one before.
 */
static int check_backends(const struct claim *claims, size_t count,
			  const struct refusal *refusal)
{
	const struct claim *group = claims, *port = claims;
	struct clash clash = {};

	for (const struct claim *claim = claims + 1; claim < claims + count;
	     claim++) {
		if (!same_protocol(group, claim)) {
			group = port = claim;
			continue;
		}
		if (!same_claim(port, claim))
			port = claim;
		else
			compare_two(&clash, port, claim);
		if (port != claim)
			compare_two(&clash, claim - 1, claim);
		if (group->port || !claim->port)
			continue;
		/*
		 * A service without a mark beside any port, or one with marks.
		 */
		for (const struct claim *any = group; any < claim; any++) {
			if (any->port || any->told_by == TOLD_BY_VIP)
				break;
			compare_two(&clash, any, claim);
		}
	}
	return clash.later ? refuse_backends(&clash, refusal) : 0;
}

static void claim_all(const struct config *config, struct claim *services,
		      struct claim *backends)
{
	size_t order = 0;

	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];
		struct claim claim = {
			.address = service->vip,
			.protocol = service->protocol,
			.port = bpf_ntohs(service->port),
			.order = order,
			.service = service,
		};

		services[i] = claim;
		order++;
		for (size_t j = 0; j < service->backend_count; j++) {
			claim.backend = &service->backends[j];
			claim.address = claim.backend->address;
			claim.told_by = told_by(&service->method);
			claim.order = order++;
			*backends++ = claim;
		}
	}
}

int conflicts_check(const struct config *config, const struct refusal *refusal)
{
	size_t service_count = config->service_count;
	size_t backend_count = 0;
	struct claim *services, *backends;
	int result = 0;

	for (size_t i = 0; i < service_count; i++)
		backend_count += config->services[i].backend_count;
	services = calloc(service_count + backend_count, sizeof(*services));
	if (!services)
		return refuse_memory(refusal);
	backends = services + service_count;

	claim_all(config, services, backends);
	qsort(services, service_count, sizeof(*services), compare_claims);
	qsort(backends, backend_count, sizeof(*backends), compare_claims);

	result = restore_check(config, refusal)
			 ?: methods_check(config, refusal)
			 ?: workers_check(config, refusal)
			 ?: announce_check(config, refusal);
	for (size_t i = 0; i < service_count && !result; i++)
		result = health_refuse(&config->services[i], refusal);
	if (!result)
		result = health_refuse_ports(config, refusal)
				 ?: health_refuse_targets(config, refusal);
	if (!result)
		result = check_services(services, service_count, refusal);
	if (!result)
		result = check_by_address(services, service_count, refusal);
	for (size_t i = 0; i < service_count && !result; i++)
		result = check_vips(&config->services[i], services,
				    service_count, refusal);
	if (!result)
		result = check_backends(backends, backend_count, refusal);
	free(services);
	return result;
}

/* Below this, a backend's share is off by more than about a percent. */
#define SLOTS_PER_BACKEND 100

static void warn_service(const struct config *config,
			 const struct config_service *service, FILE *out)
{
	const struct key *key = key_find(LEVEL_SERVICE, "table-size", 10);
	char text[SERVICE_TEXT_SIZE];
	size_t active = 0;
	__u32 enough;

	for (size_t i = 0; i < service->backend_count; i++)
		active += !service->backends[i].drain;
	service_text(service, text);
	if (!active) {
		fprintf(out,
			"%s:%u: warning: every backend of %s is draining; it "
			"takes no new flows\n",
			config->path, service->line, text);
		return;
	}
	if (service->table_size / active >= SLOTS_PER_BACKEND)
		return;
	enough = value_next_prime(active * SLOTS_PER_BACKEND);
	fprintf(out,
		"%s:%u: warning: %s has %zu slots for each of its %zu "
		"backends, whose shares become uneven below %d; table-size "
		"should be %u%s\n",
		config->path, service->line, text, service->table_size / active,
		active, SLOTS_PER_BACKEND,
		enough < key->max ? enough : key->max,
		enough <= key->max ? "" : ", the largest there is");
}

void conflicts_warn(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < config->service_count; i++)
		warn_service(config, &config->services[i], out);
	workers_warn(config, out);
}
