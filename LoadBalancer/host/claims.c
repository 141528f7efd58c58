// SPDX-License-Identifier: GPL-2.0-only
/*
 * claims.c - the VIPs that the load balancer answers for, with `claim: arp`
 *
 * In a LAN without a router that sends the VIP here, hosts ask for it by ARP or
 * ND. A VIP that is an address of this host is answered for anyhow.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "LoadBalancer/host/host.h"
#include "LoadBalancer/host/own.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/host/claim.h"

struct claiming {
	struct kernel *kernel;
	const char *const *names;
	struct fault *fault;
	int rc;
};

static void claim(void *data, const struct addr *vip, bool is_own)
{
	struct claiming *claiming = data;
	const char *const *name;

	for (name = claiming->names; !is_own && *name && !claiming->rc; name++)
		claiming->rc = claim_add(claiming->kernel, vip, *name,
					 claiming->fault);
}

int lbr_claims(struct kernel *kernel, const struct config *config,
	       const char *const *names, struct fault *fault_out)
{
	struct claiming claiming = {kernel, names, fault_out, 0};

	if (!config->claim)
		return 0;
	if (own_vips(config, claim, &claiming))
		return fault(fault_out, "cannot claim VIPs: this host's "
					"addresses cannot be read");
	return claiming.rc;
}

/* "192.168.25.10", "192.168.25.10 dev eth0", or a sysctl of claims. */
static bool is_needed(const char *what, const void *data)
{
	const struct config *config = data;
	char text[INET6_ADDRSTRLEN];
	struct addr address;
	size_t i;

	if (!strncmp(what, "net/", 4))
		return config->claim || !strstr(what, "/proxy_");
	if (!config->claim || sscanf(what, "%45s", text) != 1 ||
	    addr_parse(text, &address))
		return false;
	for (i = 0; i < config->service_count; i++) {
		if (addr_equal(&config->services[i].vip, &address))
			return true;
	}
	return false;
}

void lbr_claims_settle(struct kernel *kernel, const struct config *config)
{
	changes_keep(kernel, "claim", is_needed, config);
	changes_keep(kernel, "route", is_needed, config);
	changes_keep(kernel, "sysctl", is_needed, config);
}
