// SPDX-License-Identifier: GPL-2.0-only
#include "common/config/restore.h"

#include <arpa/inet.h>

#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/config/method_names.h"
#include "common/core/address.h"

static int check_backend(const struct config_service *service,
			 const struct config_backend *backend,
			 const struct refusal *refusal)
{
	char address[INET6_ADDRSTRLEN];

	addr_text(&backend->address, address);
	if (!method_is_restored(&service->method))
		return refuse(refusal, backend->line,
			      "restore: tc of backend %s: not with forward: "
			      "%s, whose packets come to that address anyhow",
			      address, method_name(&service->method));
	if (service->by_address)
		return refuse(refusal, backend->line,
			      "restore: tc of backend %s: not with fragments: "
			      "by-address, because the port names the server",
			      address);
	if (addr_is_v4(&service->vip) != addr_is_v4(&backend->address))
		return refuse(refusal, backend->line,
			      "restore: tc of backend %s: only at an address "
			      "of the VIP's family, where its server listens",
			      address);
	return 0;
}

int restore_check(const struct config *config, const struct refusal *refusal)
{
	size_t s, b;

	for (s = 0; s < config->service_count; s++) {
		const struct config_service *service = &config->services[s];

		for (b = 0; b < service->backend_count; b++) {
			if (service->backends[b].restore == RESTORE_TC &&
			    check_backend(service, &service->backends[b],
					  refusal))
				return -1;
		}
	}
	return 0;
}

void restore_notes(const struct config *config, FILE *out)
{
	char at[64], others[METHODS_TEXT];
	size_t s, b;

	for (s = 0; s < config->service_count; s++) {
		const struct config_service *service = &config->services[s];

		if (!method_is_by_address(&service->method))
			continue;
		for (b = 0; b < service->backend_count; b++) {
			const struct config_backend *backend =
				&service->backends[b];

			if (backend->restore != RESTORE_TC)
				continue;
			fprintf(out,
				"%s:%u: note: restore: tc: nobody can connect "
				"to %s itself with forward: %s, because every "
				"packet there is taken for one to the VIP; "
				"use %s for that\n",
				config->path, backend->line,
				endpoint_text(&backend->address, service->port,
					      at),
				method_name(&service->method),
				methods_text(method_is_told_apart, " or ",
					     others));
			return;
		}
	}
}
