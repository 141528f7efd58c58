// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_text.c - what a step of a plan changes, for people
 */
#include <arpa/inet.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/config/plan.h"
#include "common/config/plan_pool.h"
#include "common/config/write.h"

#define ROW_TEXT 64

static const char *row_text(const struct config_backend *row,
			    char text[ROW_TEXT])
{
	char was[24] = "", mtu[24] = "", port[24] = "";

	if (row->weight_before)
		snprintf(was, sizeof(was), ", was %u", row->weight_before);
	if (row->mtu)
		snprintf(mtu, sizeof(mtu), ", mtu %u", row->mtu);
	if (row->port)
		snprintf(port, sizeof(port), ", port %u", bpf_ntohs(row->port));
	snprintf(text, ROW_TEXT, "weight %u%s%s%s%s", row->weight, was,
		 row->drain		       ? ", draining"
		 : row->state == STATE_FILLING ? ", filling"
					       : "",
		 mtu, port);
	return text;
}

static void service_name(const struct config_service *service, char text[96])
{
	char endpoint[64];

	snprintf(text, 96, "%s/%s",
		 endpoint_text(&service->vip, service->port, endpoint),
		 protocol_name(service->protocol));
}

/* Backends of `of`: new ones if it has none before, or gone ones. */
static void backend_lines(const struct config_service *service,
			  const struct config_service *other, char sign,
			  FILE *out)
{
	char name[96], address[INET6_ADDRSTRLEN], now[ROW_TEXT], then[ROW_TEXT];
	const struct config_backend *row = service->backends, *twin;
	size_t i;

	service_name(service, name);
	for (i = 0; i < service->backend_count; i++, row++) {
		twin = other ? config_backend_of(other, &row->address) : NULL;
		addr_text(&row->address, address);
		row_text(row, now);
		if (!twin)
			fprintf(out, "%c backend %s of %s %s\n", sign, address,
				name, now);
		else if (sign == '+' && strcmp(row_text(twin, then), now))
			fprintf(out, "~ backend %s of %s %s -> %s\n", address,
				name, then, now);
	}
}

static void service_lines(const struct config *config,
			  const struct config *other, char sign, FILE *out)
{
	const struct config_service *service = config->services, *twin;
	char name[96], method[32];
	size_t i;

	for (i = 0; i < config->service_count; i++, service++) {
		twin = config_service_like(other, service);
		service_name(service, name);
		if (!twin)
			fprintf(out, "%c service %s %s %s\n", sign, name,
				scheduler_name(service->scheduler),
				method_text(&service->method, method));
		backend_lines(service, twin, sign, out);
	}
}

int plan_changes(const struct config *old, const struct config *new, FILE *out)
{
	static const char *const told[] = {NULL};

	service_lines(old, new, '-', out);
	service_lines(new, old, '+', out);
	return config_diff(old, new, told, out) < 0 ? -1 : 0;
}
