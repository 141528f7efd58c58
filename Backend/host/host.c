// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - what a backend's host must have
 *
 * The VIPs are on lo, which belongs to no segment, so that servers answer from
 * them, or are local by a route (own_address.c). And nobody may learn of them:
 * a Linux host answers ARP for an address on any of its interfaces, and uses
 * any of them as the sender of requests.
 *
 * Where second chance needs the MAC addresses of other backends: see peers.c.
 *
 * If packets come by a path that takes less than this host's routes do, clients
 * are told to send smaller segments.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "Backend/host/done.h"
#include "Backend/host/host.h"
#include "common/core/address.h"
#include "common/host/advmss.h"
#include "common/host/change.h"
#include "common/net/netlink.h"

/*
 * For all interfaces, also those that come later: a Linux host answers ARP for
 * an address of lo on whatever interface is asked. The kernel uses the greater
 * of `all` and the interface's own.
 */
static void quiet(struct kernel *kernel, const char *key, const char *value)
{
	struct fault said;
	char path[128];

	snprintf(path, sizeof(path), "net/ipv4/conf/all/%s", key);
	if (change_sysctl(kernel, path, value, &said))
		fault_warn(&said);
}

/* The families of which this host has VIPs. */
struct families {
	bool ipv4, ipv6;
};

/* This host's addresses: all, and those by which the file may know it. */
struct addresses {
	struct link_address *all;
	struct addr *own;
	int count, own_count;
};

static bool is_here(const struct addresses *addresses, const struct addr *vip)
{
	int i;

	for (i = 0; i < addresses->count; i++) {
		if (!memcmp(&addresses->all[i].address, vip, sizeof(*vip)))
			return true;
	}
	return false;
}

/* Does its server here listen on the VIP? */
static bool needs_vip(const struct config_service *service,
		      const struct addresses *addresses)
{
	const struct config_backend *here =
		backend_here(service, addresses->own, addresses->own_count);

	return here && here->restore == RESTORE_LO;
}

/* Does an earlier service, with this backend, need the same VIP? */
static bool came_before(const struct config *config, size_t service,
			const struct addresses *addresses)
{
	const struct config_service *each = config->services;
	size_t i;

	for (i = 0; i < service; i++, each++) {
		if (!memcmp(&each->vip, &config->services[service].vip,
			    sizeof(each->vip)) &&
		    needs_vip(each, addresses))
			return true;
	}
	return false;
}

/* The VIPs of the services that have this host as a backend. 0, or -1. */
static int vips_add(struct kernel *kernel, const struct config *config,
		    struct families *families, struct fault *fault_out)
{
	const struct config_service *service = config->services;
	struct addresses is = {NULL, NULL, 0, 0};
	size_t s;
	int rc;

	is.count = addresses_read(&is.all, fault_out);
	if (is.count >= 0)
		is.own_count = own_addresses(kernel, &is.own, fault_out);
	rc = is.count < 0 || is.own_count < 0 ? -1 : 0;
	for (s = 0; !rc && s < config->service_count; s++, service++) {
		if (!backend_here(service, is.own, is.own_count))
			continue;
		if (addr_is_v4(&service->vip))
			families->ipv4 = true;
		else
			families->ipv6 = true;
		if (needs_vip(service, &is) && !is_here(&is, &service->vip) &&
		    !came_before(config, s, &is))
			rc = change_vip(kernel, &service->vip, fault_out);
	}
	rc = rc
		     ?: own_address_host(kernel, config, is.own, is.own_count,
					 fault_out);
	free(is.all);
	free(is.own);
	return rc;
}

/* `interfaces` NULL: where xdp_bkd is attached. */
static int messages(struct kernel *kernel, const struct config *config,
		    const char *const *interfaces, struct fault *fault_out)
{
	const char *names[MAX_INTERFACES + 1] = {NULL};
	int i;

	if (!interfaces) {
		if (!kernel->attachment_count &&
		    kernel_attachments(kernel, fault_out))
			return -1;
		for (i = 0; i < kernel->attachment_count; i++)
			names[i] = kernel->attachments[i].name;
	}
	return done_host(kernel, config, interfaces ?: names, fault_out);
}

int bkd_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault_out)
{
	struct families families = {false, false};
	struct fault said;
	int rc;

	rc = vips_add(kernel, config, &families, fault_out);
	if (!rc && families.ipv4)
		rc = advmss_change(kernel, AF_INET, config->advmss, fault_out);
	if (!rc && families.ipv6)
		rc = advmss_change(kernel, AF_INET6, config->advmss, fault_out);
	if (!rc && !families.ipv4 && !families.ipv6 && !kernel->again) {
		fault(&said,
		      "%s lists no address of this host: nothing is restored "
		      "once `grace` and `drain-timeout` are over",
		      config->path);
		fault_warn(&said);
	}
	if (!rc) {
		quiet(kernel, "arp_ignore", "1");
		quiet(kernel, "arp_announce", "2");
	}
	rc = rc ?: messages(kernel, config, interfaces, fault_out);
	/* `run` looks at neighbours when they change. */
	if (!rc && !kernel->again)
		rc = bkd_peers(kernel, config, fault_out);
	return rc;
}

void bkd_settle(struct kernel *kernel, const struct config *config)
{
	bkd_peers_settle(kernel, config);
	own_address_settle(kernel, config);
	done_settle(kernel, config);
}
