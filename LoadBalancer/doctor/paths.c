// SPDX-License-Identifier: GPL-2.0-only
/*
 * paths.c - the way to this host, and the paths on to the backends
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/host/devices.h"
#include "LoadBalancer/host/path_mtus.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/core/tunnel.h"
#include "common/kernel/changes.h"
#include "common/kernel/generation.h"
#include "common/net/device.h"
#include "common/net/neighbours.h"
#include "common/net/routes.h"

#define MOST 512 /* next hops; see neighbours.c */

struct hop {
	struct way way;
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

/* The address of this host for the peer's route to it. */
static bool own_address(const struct doctor *doctor, bool ipv6, char *text)
{
	struct link_address *rows = NULL;
	const struct link *link = doctor_link(doctor, doctor->names[0]);
	struct fault said;
	int i, count = addresses_read(&rows, &said);
	bool is_found = false;

	for (i = 0; link && i < count && !is_found; i++) {
		if (rows[i].ifindex != link->ifindex ||
		    addr_is_v4(&rows[i].address) == ipv6 ||
		    !addr_is_host(&rows[i].address))
			continue;
		addr_text(&rows[i].address, text);
		is_found = true;
	}
	free(rows);
	return is_found;
}

/* The packets sent to the backends of all services of a VIP. */
static __u64 packets_for(const struct running *running,
			 const struct backend_count *counts,
			 const struct addr *vip)
{
	size_t i, first, end;
	__u64 sum = 0;

	for (i = 0; i < running->service_count; i++) {
		const struct running_service *row = &running->services[i];

		if (memcmp(&row->key.vip, vip, sizeof(*vip)))
			continue;
		running_range(running, row->service.id, &first, &end);
		for (; first < end; first++)
			sum += counts[running->by_address[first]->id %
				      BACKEND_SLOTS]
				       .packets;
	}
	return sum;
}

static bool is_first_of_vip(const struct running *running, size_t service)
{
	/* Sorted by key, and a key begins with the VIP. */
	return !service || memcmp(&running->services[service].key.vip,
				  &running->services[service - 1].key.vip,
				  sizeof(struct addr));
}

#define WATCHED 500 /* milliseconds to wait for packets for VIPs */

/* The packets that came for each service's backends in that time. */
static struct backend_count *counts_of_now(const struct kernel *kernel,
					   const struct running *running)
{
	const struct timespec time = {0, WATCHED * 1000000L};
	struct backend_count *before = running_counts(kernel, running);
	struct backend_count *now;
	size_t i;

	if (!before)
		return NULL;
	nanosleep(&time, NULL);
	now = running_counts(kernel, running);
	for (i = 0; now && i < BACKEND_SLOTS; i++)
		now[i].packets -= before[i].packets;
	free(before);
	return now;
}

void look_vips(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	char vip[INET6_ADDRSTRLEN], own[INET6_ADDRSTRLEN];
	struct backend_count *counts;
	struct running running;
	struct fault said;
	__u64 packets;
	bool ipv6;
	size_t i;

	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		found(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	counts = counts_of_now(kernel, &running);
	if (!counts)
		found(doctor, HEALTH_UNKNOWN, "cannot read the counters");
	for (i = 0; counts && i < running.service_count; i++) {
		const struct addr *address = &running.services[i].key.vip;

		if (!is_first_of_vip(&running, i))
			continue;
		ipv6 = !addr_is_v4(address);
		addr_text(address, vip);
		packets = packets_for(&running, counts, address);
		if (packets) {
			found(doctor, HEALTH_OK,
			      "%s: packets for it come, and are sent on", vip);
			continue;
		}
		found(doctor, HEALTH_UNKNOWN,
		      "%s: no packet for its services came just now; on the "
		      "router (or client) before this host:",
		      vip);
		mend(doctor, "ip %sroute replace %s via %s", ipv6 ? "-6 " : "",
		     vip, own_address(doctor, ipv6, own) ? own : "ADDRESS");
	}
	free(counts);
	running_free(&running);
}

static void hop_note(struct hops *hops, const struct way *way,
		     const struct method *method)
{
	int i;

	for (i = 0; i < hops->count; i++) {
		if (hops->at[i].way.ifindex == way->ifindex &&
		    !memcmp(&hops->at[i].way.via, &way->via, sizeof(way->via)))
			break;
	}
	if (i == MOST)
		return;
	if (i == hops->count)
		hops->at[hops->count++] = (struct hop){*way, 0, false};
	hops->at[i].backends++;
	hops->at[i].only_xdp |= !kernel_can_forward(method);
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

	found(doctor, HEALTH_FAIL, "%s: no route to this backend",
	      addr_text(backend, text));
	mend(doctor, "ip %sroute replace %s via %s", ipv6 ? "-6 " : "", text,
	     via ?: "GATEWAY");
}

/* Every backend once. */
static struct hops *hops_read(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	struct hops *hops = calloc(1, sizeof(*hops));
	struct way ways[MOST_WAYS];
	char text[INET6_ADDRSTRLEN];
	size_t s, b;
	int count, i;

	for (s = 0; hops && s < doctor->config.service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			const struct addr *to = &service->backends[b].address;

			if (backend_seen(&doctor->config, s, b))
				continue;
			count = ways_read(to, ways, MOST_WAYS);
			if (count < 0)
				found(doctor, HEALTH_UNKNOWN,
				      "the route to %s cannot be read",
				      addr_text(to, text));
			else if (!count)
				no_route(doctor, to);
			for (i = 0; i < count; i++)
				hop_note(hops, &ways[i], &service->method);
		}
	}
	return hops;
}

/* Can only the kernel send there? If so, it is reported. */
static bool device_look(struct doctor *doctor, const struct hops *hops,
			const struct hop *hop, const char *via,
			const char *name)
{
	__u32 lacks = device_hinders(&doctor->kernel, hops->devices,
				     hops->device_count, hop->way.ifindex);

	if (!lacks)
		return false;
	found(doctor, hop->only_xdp ? HEALTH_FAIL : HEALTH_WARN,
	      "%s on %s, next hop of %d backends: %s %s, so xdp_lbr %s", via,
	      name, hop->backends, name, device_lacks_text(lacks),
	      hop->only_xdp
		      ? "drops what goes there by ipip or l2 (device_unfit)"
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

	neighbour_read(hop->way.ifindex, &hop->way.via, &is);
	if_indextoname((unsigned)hop->way.ifindex, name);
	addr_text(&hop->way.via, via);
	if (device_look(doctor, hops, hop, via, name))
		return;
	if (is.there && !is.resolved) {
		found(doctor, HEALTH_FAIL,
		      "%s on %s, next hop of %d backends, does not say its MAC "
		      "address: %s",
		      via, name, hop->backends, is.state);
		mend(doctor, "ping -c 1 -I %s %s; on that host: ip address",
		     name, via);
	} else if (is.permanent) {
		found(doctor, HEALTH_WARN,
		      "%s on %s, next hop of %d backends, has a MAC address "
		      "that was set by hand: nobody asks whether it is right",
		      via, name, hop->backends);
		mend(doctor, "ip neigh del %s dev %s; lbr apply %s", via, name,
		     doctor->path);
	} else if (!is.managed && !neighbours_possible(&ignored)) {
		found(doctor, HEALTH_WARN,
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
	    running.hops_by_flow || !routes_by_flow(why, sizeof(why)))
		return;
	found(doctor, HEALTH_WARN,
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
		found(doctor, HEALTH_OK,
		      "%d next hops of the backends: known and kept fresh",
		      hops->count);
	if (hops)
		free(hops->devices);
	free(hops);
}

/* The largest packet that comes in by any interface of the program. */
static int largest(const struct doctor *doctor)
{
	const char *const *name;
	int mtu, most = 0;

	for (name = doctor->names; *name; name++) {
		mtu = device_mtu(*name);
		if (mtu > most)
			most = mtu;
	}
	return most;
}

/* The path to a backend that takes the least of clients' packets. */
struct narrowest {
	const struct config_service *service; /* NULL: no path takes less */
	const struct config_backend *backend;
	struct path_size size;
	__u32 overhead;
	int mss; /* of the TCP segments that fit */
};

/* Does an earlier service have the same path to that backend? */
static bool way_seen(const struct config *config, size_t service,
		     const struct addr *address)
{
	const struct config_service *this = &config->services[service], *other;
	size_t b;

	for (other = config->services; other < this; other++) {
		if (other->method.forward != this->method.forward ||
		    addr_is_v4(&other->vip) != addr_is_v4(&this->vip))
			continue;
		for (b = 0; b < other->backend_count; b++) {
			if (addr_equal(&other->backends[b].address, address))
				return true;
		}
	}
	return false;
}

static void narrow_note(const struct doctor *doctor,
			const struct config_service *service,
			const struct config_backend *backend, int most,
			struct narrowest *least)
{
	struct narrowest way = {
		.service = service,
		.backend = backend,
		.size = path_size(&doctor->kernel, &backend->address,
				  backend->mtu),
		.overhead =
			method_overhead(&service->method, &backend->address),
	};
	int room = (int)(way.size.mtu - way.overhead);

	if (!way.size.mtu || room >= most)
		return;
	way.mss = room - (addr_is_v4(&service->vip) ? 40 : 60);
	if (!least->service || way.mss < least->mss)
		*least = way;
}

static void narrow_tell(struct doctor *doctor, const struct narrowest *least,
			int most)
{
	int room = (int)(least->size.mtu - least->overhead);
	bool lost = !addr_is_v4(&least->service->vip) && room < IPV6_LEAST;
	char text[INET6_ADDRSTRLEN], outer[64] = "";

	if (least->overhead)
		snprintf(outer, sizeof(outer), ", less %u for the outer header",
			 least->overhead);
	found(doctor, lost ? HEALTH_FAIL : HEALTH_WARN,
	      "the way to %s takes %d bytes (%s: %u%s), and clients send up "
	      "to %d%s; here, and with the same file on each backend:",
	      addr_text(&least->backend->address, text), room, least->size.by,
	      least->size.mtu, outer, most,
	      lost ? ", and no IPv6 client can be told to send less than 1280"
		   : "");
	mend(doctor,
	     "sed -i -e '/^advmss:/d' -e '$a advmss: %d' %s && lbr apply %s",
	     least->mss, doctor->path, doctor->path);
}

void look_mtu(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	struct narrowest least = {0};
	int most = largest(doctor);
	size_t s, b;

	for (s = 0; s < doctor->config.service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++) {
			if (!way_seen(&doctor->config, s,
				      &service->backends[b].address))
				narrow_note(doctor, service,
					    &service->backends[b], most,
					    &least);
		}
	}
	if (!least.service)
		found(doctor, HEALTH_OK,
		      "the backends are sent what comes: up to %d bytes", most);
	else if (doctor->config.advmss &&
		 (int)doctor->config.advmss <= least.mss)
		found(doctor, HEALTH_OK,
		      "advmss %u: clients send no more than the way to the "
		      "backends takes",
		      doctor->config.advmss);
	else
		narrow_tell(doctor, &least, most);
}
