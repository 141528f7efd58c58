// SPDX-License-Identifier: GPL-2.0-only
/*
 * paths.c - the next hops of the backends
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/devices.h"
#include "common/base/address.h"
#include "common/config/method_names.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/kernel/changes.h"
#include "common/kernel/generation.h"
#include "common/net/device.h"
#include "common/net/neighbours.h"
#include "common/net/routes.h"

#define MOST 512 /* next hops; see neighbours.c */

struct hop {
	struct route_hop route;
	int backends;
	bool only_xdp; /* with a method by which the kernel cannot send */
};

struct hops {
	struct device *devices;
	int device_count;
	struct hop at[MOST];
	int count;
};

/* Does an earlier service have this backend? */
static bool backend_seen(const struct config *config, size_t service,
			 size_t backend)
{
	const struct addr *address =
		&config->services[service].backends[backend].address;
	size_t s, b;

	for (s = 0; s < service; s++) {
		for (b = 0; b < config->services[s].backend_count; b++) {
			if (addr_equal(&config->services[s].backends[b].address,
				       address))
				return true;
		}
	}
	return false;
}

static void hop_note(struct hops *hops, const struct route_hop *hop,
		     const struct method *method)
{
	int i;

	for (i = 0; i < hops->count; i++) {
		if (hops->at[i].route.ifindex == hop->ifindex &&
		    !memcmp(&hops->at[i].route.via, &hop->via,
			    sizeof(hop->via)))
			break;
	}
	if (i == MOST)
		return;
	if (i == hops->count)
		hops->at[hops->count++] = (struct hop){*hop, 0, false};
	hops->at[i].backends++;
	hops->at[i].only_xdp |= !method_is_for_kernel(method);
}

/*
 * A next hop that `up` has noted, through which others are reached; NULL: none.
 */
static const char *hop_noted(const struct doctor *doctor, bool ipv6,
			     struct change *change)
{
	__u32 i;

	for (i = 0; change_read(&doctor->kernel, i, change); i++) {
		if (!strcmp(change->kind, "neighbour") &&
		    !strchr(change->what, ':') != ipv6)
			return change->what;
	}
	return NULL;
}

static void no_route(struct doctor *doctor, const struct addr *backend)
{
	bool ipv6 = !addr_is_v4(backend);
	char text[INET6_ADDRSTRLEN];
	struct change change;
	const char *via = hop_noted(doctor, ipv6, &change);

	report(doctor, HEALTH_FAIL, "%s: no route to this backend",
	       addr_text(backend, text));
	mend(doctor, "ip %sroute replace %s via %s", ipv6 ? "-6 " : "", text,
	     via ?: "GATEWAY");
}

/* Every backend once. */
static struct hops *hops_read(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	struct hops *hops = calloc(1, sizeof(*hops));
	struct route_hop read[MOST_ROUTE_HOPS];
	char text[INET6_ADDRSTRLEN];
	size_t s, b;
	int count, i;

	for (s = 0; hops && s < doctor->config.service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			const struct addr *to = &service->backends[b].address;

			if (backend_seen(&doctor->config, s, b))
				continue;
			count = route_hops_read(to, read, MOST_ROUTE_HOPS);
			if (count < 0)
				report(doctor, HEALTH_UNKNOWN,
				       "the route to %s cannot be read",
				       addr_text(to, text));
			else if (!count)
				no_route(doctor, to);
			for (i = 0; i < count; i++)
				hop_note(hops, &read[i], &service->method);
		}
	}
	return hops;
}

static int is_sent_by_xdp_only(const struct method *method)
{
	return !method_is_for_kernel(method);
}

/* Can only the kernel send there? If so, it is reported. */
static bool device_look(struct doctor *doctor, const struct hops *hops,
			const struct hop *hop, const char *via,
			const char *name)
{
	char methods[METHODS_TEXT], drops[METHODS_TEXT + 64];
	__u32 lacks = device_hinders(&doctor->kernel, hops->devices,
				     hops->device_count, hop->route.ifindex);

	if (!lacks)
		return false;
	snprintf(drops, sizeof(drops),
		 "drops what goes there by %s (device_unfit)",
		 methods_text(is_sent_by_xdp_only, " or ", methods));
	report(doctor, hop->only_xdp ? HEALTH_FAIL : HEALTH_WARN,
	       "%s on %s, next hop of %d backends: %s %s, so xdp_lbr %s", via,
	       name, hop->backends, name, device_lacks_text(lacks),
	       hop->only_xdp
		       ? drops
		       : "hands what goes there to the kernel, which is slower "
			 "(device_passed)");
	if (lacks & DEVICE_NO_ETHERNET)
		mend(doctor,
		     "another route, by an Ethernet device: ip route get %s",
		     via);
	else
		mend(doctor, "lbr down && lbr up -m generic -c %s",
		     doctor->path);
	return true;
}

static void hop_look(struct doctor *doctor, const struct hops *hops,
		     const struct hop *hop)
{
	char via[INET6_ADDRSTRLEN], name[IF_NAMESIZE] = "?";
	struct neighbour is;
	struct fault ignored;

	neighbour_read(hop->route.ifindex, &hop->route.via, &is);
	if_indextoname((unsigned)hop->route.ifindex, name);
	addr_text(&hop->route.via, via);
	if (device_look(doctor, hops, hop, via, name))
		return;
	if (is.there && !is.resolved) {
		report(doctor, HEALTH_FAIL,
		       "%s on %s, next hop of %d backends, does not say its "
		       "MAC address: %s",
		       via, name, hop->backends, is.state);
		mend(doctor, "ping -c 1 -I %s %s; on that host: ip address",
		     name, via);
	} else if (is.permanent) {
		report(doctor, HEALTH_WARN,
		       "%s on %s, next hop of %d backends, has a MAC address "
		       "that was set by hand: nobody asks whether it is right",
		       via, name, hop->backends);
		mend(doctor, "ip neigh del %s dev %s; lbr apply %s", via, name,
		     doctor->path);
	} else if (!is.managed && !neighbours_possible(&ignored)) {
		report(doctor, HEALTH_WARN,
		       "%s on %s, next hop of %d backends, is not kept fresh: "
		       "flushed, or new",
		       via, name, hop->backends);
		mend(doctor, "lbr apply %s", doctor->path);
	}
}

/* Are next hops still cached as the routes were earlier? */
static void remembered_look(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	struct generation running;
	char why[64];

	if (generation_read(kernel, generation_current(kernel), &running) ||
	    running.next_hops_by_flow || !routes_by_flow(why, sizeof(why)))
		return;
	report(doctor, HEALTH_WARN,
	       "%s, but next hops are remembered for each backend: all its "
	       "flows share one",
	       why);
	mend(doctor, "lbr apply %s; lbr run does so by itself", doctor->path);
}

void look_next_hops(struct doctor *doctor)
{
	struct hops *hops = hops_read(doctor);
	struct fault ignored;
	int i;

	remembered_look(doctor);
	if (hops)
		hops->device_count = devices_read(&hops->devices, &ignored);
	for (i = 0; hops && i < hops->count; i++)
		hop_look(doctor, hops, &hops->at[i]);
	if (hops && !doctor->said)
		report(doctor, HEALTH_OK,
		       "%d next hops of the backends: known and kept fresh",
		       hops->count);
	if (hops)
		free(hops->devices);
	free(hops);
}
