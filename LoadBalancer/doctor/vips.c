// SPDX-License-Identifier: GPL-2.0-only
/*
 * vips.c - do packets for the VIPs come here?
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/read.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/kernel/generation.h"
#include "common/net/netlink.h"

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
				      BACKEND_INDEXES]
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
	for (i = 0; now && i < BACKEND_INDEXES; i++)
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
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	counts = counts_of_now(kernel, &running);
	if (!counts)
		report(doctor, HEALTH_UNKNOWN, "cannot read the counters");
	for (i = 0; counts && i < running.service_count; i++) {
		const struct addr *address = &running.services[i].key.vip;

		if (!is_first_of_vip(&running, i))
			continue;
		ipv6 = !addr_is_v4(address);
		addr_text(address, vip);
		packets = packets_for(&running, counts, address);
		if (packets) {
			report(doctor, HEALTH_OK,
			       "%s: packets for it come, and are sent on", vip);
			continue;
		}
		report(doctor, HEALTH_UNKNOWN,
		       "%s: no packet for its services came just now; on the "
		       "router (or client) before this host:",
		       vip);
		mend(doctor, "ip %sroute replace %s via %s", ipv6 ? "-6 " : "",
		     vip, own_address(doctor, ipv6, own) ? own : "ADDRESS");
	}
	free(counts);
	running_free(&running);
}
