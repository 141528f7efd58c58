// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - what a backend's host must have
 *
 * The VIPs, so that its servers answer from them: on lo, where they belong to
 * no segment. And silence about them: a Linux host answers ARP for an address
 * on any of its interfaces, and asks with any of them as sender.
 *
 * And, where packets come by a way that takes less than this host's routes do,
 * what it tells clients of the size of segments.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "Backend/bkd.h"
#include "common/tool/advmss.h"
#include "common/tool/change.h"
#include "common/tool/cli.h"

static void quiet(struct kernel *kernel, const char *name, const char *key,
		  const char *value)
{
	struct fault said;
	char path[128];

	snprintf(path, sizeof(path), "net/ipv4/conf/%.15s/%s", name, key);
	if (change_sysctl(kernel, path, value, &said))
		cli_warn(kernel->role, &said);
}

int bkd_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault_out)
{
	const struct config_service *service = config->services;
	struct addr *own;
	int count = own_addresses(kernel, &own, fault_out),
	    rc = count < 0 ? -1 : 0;
	bool listed = false, ipv4 = false, ipv6 = false;
	struct fault said;
	size_t s, b;

	for (s = 0; !rc && s < config->service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			if (is_own(&service->backends[b].address, own, count))
				break;
		}
		if (b == service->backend_count)
			continue;
		listed = true;
		*(addr_is_ipv4(&service->vip) ? &ipv4 : &ipv6) = true;
		rc = change_vip(kernel, &service->vip, fault_out);
	}
	if (count >= 0)
		free(own);
	if (!rc && ipv4)
		rc = advmss_change(kernel, AF_INET, config->advmss, fault_out);
	if (!rc && ipv6)
		rc = advmss_change(kernel, AF_INET6, config->advmss, fault_out);
	if (!rc && !listed) {
		fault(&said,
		      "%s lists no address of this host: nothing is restored "
		      "once `grace` is over",
		      config->path);
		cli_warn(kernel->role, &said);
	}
	for (; !rc && interfaces && *interfaces; interfaces++) {
		quiet(kernel, *interfaces, "arp_ignore", "1");
		quiet(kernel, *interfaces, "arp_announce", "2");
	}
	return rc;
}
