// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - what the load balancer's host must have
 *
 *  - Forwarding on the interfaces: bpf_fib_lookup() answers FWD_DISABLED
 *    without. Per interface is enough for it, and for IPv4's own forwarding of
 *    a packet whose next hop is unresolved. IPv6's asks net.ipv6.conf.all, or,
 *    from Linux 6.17 on, force_forwarding of the interface.
 *  - No ICMP redirects: one, sent for a packet that the kernel forwarded back
 *    out of the same interface, takes the VIP away from that client for 300 s.
 *  - Next hops that the kernel keeps fresh: see neighbours.c.
 *  - Forwarding turns router advertisements off where accept_ra is 1, so it
 *    becomes 2 there.
 */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/host/devices.h"
#include "LoadBalancer/host/host.h"
#include "LoadBalancer/host/nat.h"
#include "LoadBalancer/host/own.h"
#include "LoadBalancer/host/path_mtus.h"
#include "LoadBalancer/host/waiting.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/host/vlans.h"

#define IPV4 "net/ipv4/conf/"
#define IPV6 "net/ipv6/conf/"

static int set(struct kernel *kernel, const char *family, const char *name,
	       const char *key, const char *value, struct fault *fault_out)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%.15s/%s", family, name, key);
	return change_sysctl(kernel, path, value, fault_out);
}

/*
 * A setting that helps but is not necessary: a failure is reported, not fatal.
 */
static void set_or_say(struct kernel *kernel, const char *family,
		       const char *name, const char *key, const char *value)
{
	struct fault said;

	if (set(kernel, family, name, key, value, &said))
		fault_warn(&said);
}

static int host_ipv4(struct kernel *kernel, const char *name,
		     struct fault *fault_out)
{
	set_or_say(kernel, IPV4, name, "send_redirects", "0");
	return set(kernel, IPV4, name, "forwarding", "1", fault_out);
}

static bool is_on(const char *path)
{
	char value[8];

	return !sysctl_read(path, value, sizeof(value)) && !strcmp(value, "1");
}

/*
 * An interface that begins to forward, and has listened to router
 * advertisements until now.
 */
static void accept_ra(struct kernel *kernel, const char *name)
{
	char forwarding[128], accept[128];

	snprintf(forwarding, sizeof(forwarding), IPV6 "%.15s/forwarding", name);
	snprintf(accept, sizeof(accept), IPV6 "%.15s/accept_ra", name);
	if (!is_on(forwarding) && is_on(accept))
		set_or_say(kernel, IPV6, name, "accept_ra", "2");
}

/* Before Linux 6.17 the kernel forwards IPv6 on all interfaces or on none. */
static int host_ipv6_all(struct kernel *kernel, struct fault *fault_out)
{
	DIR *directory = opendir("/proc/sys/" IPV6);
	struct dirent *entry;
	char path[128];
	int rc = 0;

	/*
	 * Writing `all` writes every interface, so each is printed and noted
	 * first; also if its value stays, because undoing `all` changes it.
	 */
	while (directory && !rc && (entry = readdir(directory))) {
		if (*entry->d_name == '.' || !strcmp(entry->d_name, "all"))
			continue;
		accept_ra(kernel, entry->d_name);
		snprintf(path, sizeof(path), IPV6 "%.15s/forwarding",
			 entry->d_name);
		rc = change_expected(kernel, path, fault_out)
			     ?: change_sysctl(kernel, path, "1", fault_out);
	}
	if (directory)
		closedir(directory);
	return rc ?: set(kernel, IPV6, "all", "forwarding", "1", fault_out);
}

static int host_ipv6(struct kernel *kernel, const char *name,
		     struct fault *fault_out)
{
	char path[128], value[8];

	if (is_on(IPV6 "all/forwarding"))
		return set(kernel, IPV6, name, "forwarding", "1", fault_out);
	snprintf(path, sizeof(path), IPV6 "%.15s/force_forwarding", name);
	if (sysctl_read(path, value, sizeof(value)))
		return host_ipv6_all(kernel, fault_out);
	accept_ra(kernel, name);
	return set(kernel, IPV6, name, "forwarding", "1", fault_out)
		       ?: change_sysctl(kernel, path, "1", fault_out);
}

static int host_interfaces(struct kernel *kernel, const struct config *config,
			   const char *const *names, struct fault *fault_out)
{
	bool ipv4 = false, ipv6 = false;
	const struct config_service *service;
	size_t i, b;

	for (i = 0; i < config->service_count; i++) {
		service = &config->services[i];
		*(addr_is_v4(&service->vip) ? &ipv4 : &ipv6) = true;
		/* The FIB is asked for the way to the backend. */
		for (b = 0; b < service->backend_count; b++)
			*(addr_is_v4(&service->backends[b].address) ? &ipv4
								    : &ipv6) =
				true;
	}
	if (ipv4)
		set_or_say(kernel, IPV4, "all", "send_redirects", "0");
	for (; *names; names++) {
		if (ipv4 && host_ipv4(kernel, *names, fault_out))
			return -1;
		if (ipv6 && host_ipv6(kernel, *names, fault_out))
			return -1;
	}
	return 0;
}

int lbr_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault_out)
{
	const char *names[MAX_INTERFACES + 1] = {NULL};
	struct vlan_device *vlans = NULL;
	int i, rc = 0;

	if (!interfaces) {
		if (!kernel->attachment_count &&
		    kernel_attachments(kernel, fault_out))
			return -1;
		for (i = 0; i < kernel->attachment_count; i++)
			names[i] = kernel->attachments[i].name;
		rc = vlan_names(kernel, names, &vlans, fault_out);
	}
	rc = rc
		     ?: host_interfaces(kernel, config, interfaces ?: names,
					fault_out);
	rc = rc ?: lbr_claims(kernel, config, interfaces ?: names, fault_out);
	rc = rc ?: nat_host(kernel, config, interfaces ?: names, fault_out);
	rc = rc ?: waiting_host(kernel, config, interfaces ?: names, fault_out);
	free(vlans);
	rc = rc ?: own_write(kernel, fault_out);
	rc = rc ?: devices_write(kernel, fault_out);
	if (!rc)
		path_mtus_settle(kernel, config);
	/* `run` looks at routes and neighbours when they change. */
	if (!rc && !kernel->again)
		lbr_neighbours(kernel, config);
	return rc;
}
