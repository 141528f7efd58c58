// SPDX-License-Identifier: GPL-2.0-only
/* methods.c - see methods.h */
#include "common/config/methods.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/method_names.h"
#include "common/core/abi_nat.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/tunnel.h"

/* If an address is written over the VIP, it must have the VIP's family. */
static int check_families(const struct config_service *service,
			  const struct refusal *refusal)
{
	bool ipv4 = addr_is_v4(&service->vip);
	char address[INET6_ADDRSTRLEN];
	char vip[INET6_ADDRSTRLEN];
	char others[METHODS_TEXT];

	if (method_crosses(&service->method))
		return 0;
	for (size_t i = 0; i < service->backend_count; i++) {
		const struct config_backend *backend = &service->backends[i];

		if (addr_is_v4(&backend->address) == ipv4)
			continue;
		return refuse(refusal, backend->line,
			      "backend %s: must be an %s address, as the VIP "
			      "%s is; %s cannot cross families, %s can",
			      addr_text(&backend->address, address),
			      ipv4 ? "IPv4" : "IPv6",
			      addr_text(&service->vip, vip),
			      method_name(&service->method),
			      methods_text(method_crosses, " or ", others));
	}
	return 0;
}

/* IPv6, inside or outside, needs its 1280 bytes. */
static int check_mtus(const struct config_service *service,
		      const struct refusal *refusal)
{
	char address[INET6_ADDRSTRLEN], outer[96] = "";
	__u32 least;

	for (size_t i = 0; i < service->backend_count; i++) {
		const struct config_backend *backend = &service->backends[i];

		least = method_least_mtu(&service->method, &service->vip,
					 &backend->address);
		if (!backend->mtu || backend->mtu >= least)
			continue;
		if (least > IPV6_LEAST)
			snprintf(outer, sizeof(outer),
				 ", and the outer header of %s takes the rest",
				 method_name(&service->method));
		return refuse(
			refusal, backend->line,
			"mtu %u of backend %s: must be at least %u: every "
			"sender of IPv6 may count on %d bytes%s",
			backend->mtu, addr_text(&backend->address, address),
			least, IPV6_LEAST, outer);
	}
	return 0;
}

static bool has_source(const struct config *config, bool is_ipv4)
{
	size_t i;

	for (i = 0; i < config->nat_source_count; i++) {
		if (addr_is_v4(&config->nat_sources[i].address) == is_ipv4)
			return true;
	}
	return false;
}

/* A backend's own port, which is written over the service's. */
static int check_ports(const struct config_service *service,
		       const struct refusal *refusal)
{
	char others[METHODS_TEXT];
	size_t i;

	for (i = 0; i < service->backend_count; i++) {
		const struct config_backend *backend = &service->backends[i];

		if (!backend->port)
			continue;
		if (!method_returns(&service->method))
			return refuse(
				refusal, backend->line,
				"port %u of a backend: only with forward: %s; "
				"%s leaves the port as the client wrote it",
				bpf_ntohs(backend->port),
				methods_text(method_returns, " or ", others),
				method_name(&service->method));
		if (!service->port)
			return refuse(refusal, backend->line,
				      "port %u of a backend: not in a service "
				      "of any port",
				      bpf_ntohs(backend->port));
	}
	return 0;
}

/* A service whose replies come back to the load balancer. */
static int check_returning(const struct config *config,
			   const struct config_service *service,
			   const struct refusal *refusal)
{
	const char *name = method_name(&service->method);
	bool ipv4 = addr_is_v4(&service->vip);

	if (!has_source(config, ipv4))
		return refuse(refusal, service->line,
			      "forward %s: only in a file whose key "
			      "\"nat-source\" has an %s address, to which "
			      "replies come back",
			      name, ipv4 ? "IPv4" : "IPv6");
	if (service->by_address)
		return refuse(refusal, service->line,
			      "fragments: by-address: not with forward: %s, "
			      "which tells flows by their ports",
			      name);
	if (service->flows == FLOWS_SECOND_CHANCE ||
	    service->chance == CHANCE_ALWAYS)
		return refuse(refusal, service->line,
			      "%s: not with forward: %s, which no backend "
			      "undoes",
			      service->flows ? "flows: second-chance"
					     : "second-chance: always",
			      name);
	if (service->scheduler == SCHEDULER_WORKERS)
		return refuse(refusal, service->line,
			      "scheduler workers: not with forward: %s, whose "
			      "program knows no queue",
			      name);
	return 0;
}

/* Each of nat-source is one address, and there is room for all. */
static int check_sources(const struct config *config,
			 const struct refusal *refusal)
{
	size_t i, ipv4 = 0, most = NAT_SOURCES / 2;
	char text[INET6_ADDRSTRLEN];

	for (i = 0; i < config->nat_source_count; i++) {
		const struct prefix *source = &config->nat_sources[i];

		ipv4 += (size_t)addr_is_v4(&source->address);
		if (source->bits != 128)
			return refuse(refusal, 0,
				      "nat-source: must be addresses, not the "
				      "prefix of %s",
				      addr_text(&source->address, text));
	}
	if (ipv4 > most || config->nat_source_count - ipv4 > most)
		return refuse(refusal, 0,
			      "nat-source: at most %zu addresses of a family",
			      most);
	return 0;
}

/* Keys that only some methods have, or that a method requires. */
static int check_keys(const struct config *config,
		      const struct config_service *service,
		      const struct refusal *refusal)
{
	const struct method *method = &service->method;
	const char *name = method_name(method);
	char others[METHODS_TEXT];

	if (method_is_by_mark(method) && !method->dscp)
		return refuse(refusal, service->line,
			      "service without the key \"dscp\", which "
			      "forward: %s requires: a number from 1 to 63",
			      name);
	if (!method_is_by_mark(method) && method->dscp)
		return refuse(refusal, service->line,
			      "dscp %u: only with forward: %s, not with "
			      "forward: %s",
			      method->dscp,
			      methods_text(method_is_by_mark, " or ", others),
			      name);
	if (!method_overwrites_vip(method) &&
	    method->checksum == CHECKSUM_UPDATE)
		return refuse(
			refusal, service->line,
			"checksum update: only with forward: %s; %s %s",
			methods_text(method_overwrites_vip, " or ", others),
			name,
			method_returns(method)
				? "makes all checksums true"
				: "leaves the VIP, and its checksum is true");
	if (method_returns(method) && check_returning(config, service, refusal))
		return -1;
	if (method_encapsulates(method) && !config->lb_source_count)
		return refuse(refusal, service->line,
			      "forward %s: only in a file with the key "
			      "\"lb-sources\", of which backends take such "
			      "packets",
			      name);
	return 0;
}

static int check_outer(const struct config *config,
		       const struct refusal *refusal)
{
	const struct prefix *sources = config->outer_sources;

	if (config->outer_source_count < 2 ||
	    addr_is_v4(&sources[0].address) != addr_is_v4(&sources[1].address))
		return 0;
	return refuse(refusal, 0,
		      "outer-source: must be at most one of each family, not "
		      "two of %s",
		      addr_is_v4(&sources[0].address) ? "IPv4" : "IPv6");
}

/* A backend's address and a mark stand for one VIP. */
struct mark {
	struct addr address;
	__u8 dscp;
	const struct config_service *service;
	unsigned int line;
};

static int compare_marks(const void *left, const void *right)
{
	const struct mark *a = left;
	const struct mark *b = right;
	int order = memcmp(&a->address, &b->address, sizeof(a->address));

	if (order)
		return order;
	if (a->dscp != b->dscp)
		return a->dscp < b->dscp ? -1 : 1;
	return a->line < b->line ? -1 : a->line > b->line;
}

static int check_mark(const struct mark *first, const struct mark *mark,
		      const struct refusal *refusal)
{
	char address[INET6_ADDRSTRLEN], vip[INET6_ADDRSTRLEN];
	char other[INET6_ADDRSTRLEN];

	if (memcmp(&first->address, &mark->address, sizeof(mark->address)) ||
	    first->dscp != mark->dscp ||
	    !memcmp(&first->service->vip, &mark->service->vip,
		    sizeof(struct addr)))
		return 0;
	return refuse(refusal, mark->line,
		      "backend %s could not tell VIP %s from %s, on line %u, "
		      "by dscp %u; give one of them another",
		      addr_text(&mark->address, address),
		      addr_text(&mark->service->vip, vip),
		      addr_text(&first->service->vip, other), first->line,
		      mark->dscp);
}

static int check_marks(const struct config *config,
		       const struct refusal *refusal)
{
	size_t count = 0, i, j;
	struct mark *marks;
	int result = 0;

	for (i = 0; i < config->service_count; i++)
		count += config->services[i].backend_count;
	marks = calloc(count, sizeof(*marks));
	if (!marks)
		return refuse_memory(refusal);
	for (i = count = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];

		for (j = 0; service->method.dscp && j < service->backend_count;
		     j++)
			marks[count++] =
				(struct mark){service->backends[j].address,
					      service->method.dscp, service,
					      service->backends[j].line};
	}
	qsort(marks, count, sizeof(*marks), compare_marks);
	for (i = 1; i < count && !result; i++)
		result = check_mark(&marks[i - 1], &marks[i], refusal);
	free(marks);
	return result;
}

int methods_check(const struct config *config, const struct refusal *refusal)
{
	int result =
		check_outer(config, refusal) ?: check_sources(config, refusal);

	for (size_t i = 0; i < config->service_count && !result; i++)
		result = check_keys(config, &config->services[i], refusal)
				 ?: check_families(&config->services[i],
						   refusal)
				 ?: check_mtus(&config->services[i], refusal)
				 ?: check_ports(&config->services[i], refusal);
	return result ?: check_marks(config, refusal);
}

void methods_notes(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < config->service_count; i++) {
		const struct config_service *service = &config->services[i];

		if (!method_is_by_mark(&service->method) ||
		    service->method.checksum != CHECKSUM_KEEP)
			continue;
		fprintf(out,
			"%s:%u: note: checksum: keep is for backends that run "
			"xdp_bkd; any other restorer (Yahoo's module, "
			"nftables) needs checksum: update\n",
			config->path, service->line);
		return;
	}
}
