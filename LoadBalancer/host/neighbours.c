// SPDX-License-Identifier: GPL-2.0-only
/*
 * neighbours.c - have the kernel manage the next hops of all backends
 *
 * A packet whose next hop has no MAC address is forwarded by the kernel; one
 * whose next hop's MAC address has changed is lost. Traffic that XDP forwards
 * mends neither. So the entries are made managed before packets use the new
 * generation, and those that only the previous one needed are released when it
 * is switched from. The same lookups tell which routes are locked to an MTU,
 * which the program cannot see itself (common/core/route.h).
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/host/host.h"
#include "LoadBalancer/host/path_mtus.h"
#include "common/core/abi_services.h"
#include "common/host/change.h"
#include "common/net/routes.h"

/*
 * The kernel keeps about 1,000 neighbours of a family (gc_thresh3), and probes
 * managed ones for ever: no more of them than leaves room for others.
 */
#define MOST 512
#define WAIT 500 /* milliseconds to wait for all answers together */

struct hops {
	struct way ways[MOST];
	int count;
	bool more;   /* there were */
	bool unread; /* some route could not be read */
	struct route_mtus mtus;
};

static bool is_needed(int ifindex, const struct addr *via, const void *data)
{
	const struct hops *hops = data;
	int i;

	for (i = 0; i < hops->count; i++) {
		if (hops->ways[i].ifindex == ifindex &&
		    !memcmp(&hops->ways[i].via, via, sizeof(*via)))
			return true;
	}
	return false;
}

static void hops_free(struct hops *hops)
{
	if (hops)
		free(hops->mtus.rows);
	free(hops);
}

static void hops_of(struct hops *hops, const struct addr *backend)
{
	struct way ways[MOST_WAYS];
	int count = ways_read(backend, ways, MOST_WAYS), i;

	hops->unread |= count < 0;
	route_mtus_note(&hops->mtus, backend, ways, count);
	for (i = 0; i < count; i++) {
		if (is_needed(ways[i].ifindex, &ways[i].via, hops))
			continue;
		if (hops->count == MOST)
			hops->more = true;
		else
			hops->ways[hops->count++] = ways[i];
	}
}

/* NULL without memory. */
static struct hops *hops_read(const struct config *config)
{
	const struct config_service *service = config->services;
	struct hops *hops = calloc(1, sizeof(*hops));
	size_t s, b;

	for (s = 0; hops && s < config->service_count; s++, service++) {
		for (b = 0; b < service->backend_count; b++)
			hops_of(hops, &service->backends[b].address);
	}
	return hops;
}

/*
 * Waits until the entries that were asked have an answer, or for as long as one
 * may take.
 */
static void wait_for(const struct hops *hops, const bool *is_asked)
{
	static const struct timespec moment = {0, 10 * 1000 * 1000};
	struct neighbour is;
	int waited = 0, i = 0;

	while (i < hops->count && waited < WAIT) {
		if (is_asked[i])
			neighbour_read(hops->ways[i].ifindex,
				       &hops->ways[i].via, &is);
		if (!is_asked[i] || is.resolved) {
			i++;
			continue;
		}
		nanosleep(&moment, NULL);
		waited += 10;
	}
}

static void keep(struct kernel *kernel, const char *format, const char *name)
{
	char path[128], value[8];
	struct fault said;

	snprintf(path, sizeof(path), format, name);
	/* Before Linux 5.16 it does not exist. */
	if (!sysctl_read(path, value, sizeof(value)) &&
	    change_sysctl(kernel, path, "0", &said))
		fault_warn(&said);
}

/*
 * When an interface loses its carrier, the kernel deletes its neighbours, and
 * packets that XDP sends do not bring them back. So it is told to keep them:
 * after a short loss, on the same segment, nothing is lost.
 */
static void carrier_keep(struct kernel *kernel, const struct hops *hops)
{
	char name[IF_NAMESIZE];
	int i, j;

	for (i = 0; i < hops->count; i++) {
		for (j = 0; j < i; j++) {
			if (hops->ways[j].ifindex == hops->ways[i].ifindex)
				break;
		}
		if (j < i ||
		    !if_indextoname((unsigned)hops->ways[i].ifindex, name))
			continue;
		keep(kernel, "net/ipv4/conf/%s/arp_evict_nocarrier", name);
		keep(kernel, "net/ipv6/conf/%s/ndisc_evict_nocarrier", name);
	}
}

void lbr_neighbours(struct kernel *kernel, const struct config *config)
{
	struct hops *hops = hops_read(config);
	bool is_asked[MOST] = {false};
	struct fault said;
	int i;

	if (hops && !hops->unread)
		route_mtus_write(kernel, &hops->mtus);
	if (neighbours_possible(&said)) {
		fault_warn(&said);
		hops_free(hops);
		return;
	}
	for (i = 0; hops && i < hops->count; i++) {
		if (change_neighbour(kernel, hops->ways[i].ifindex,
				     &hops->ways[i].via, &is_asked[i], &said))
			fault_warn(&said);
	}
	if (hops && hops->more) {
		fault(&said,
		      "of more than %d next hops, only so many are kept fresh",
		      MOST);
		fault_warn(&said);
	}
	if (hops && hops->count)
		carrier_keep(kernel, hops);
	/* `run` has other work, and hears of changes. */
	if (hops && !kernel->in_loop)
		wait_for(hops, is_asked);
	hops_free(hops);
}

void lbr_neighbours_settle(struct kernel *kernel, const struct config *config)
{
	struct hops *hops = hops_read(config);
	struct running running;
	struct fault ignored;
	size_t i;

	/* Before any is released, all that are needed must be known. */
	if (!hops || running_read(kernel, generation_current(kernel), &running,
				  &ignored)) {
		hops_free(hops);
		return;
	}
	/* Backends that are being removed still have flows. */
	for (i = 0; i < running.backend_count; i++) {
		if (running.by_address[i]->state == BACKEND_REMOVING)
			hops_of(hops, &running.by_address[i]->address);
	}
	running_free(&running);
	if (!hops->unread)
		change_neighbours_keep(kernel, is_needed, hops);
	hops_free(hops);
}
