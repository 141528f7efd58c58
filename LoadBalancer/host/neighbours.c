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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/host/addresses.h"
#include "LoadBalancer/host/host.h"
#include "LoadBalancer/host/path_mtus.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/host/carrier.h"
#include "common/host/change.h"
#include "common/net/routes.h"

/*
 * The kernel keeps about 1,000 neighbours of a family (gc_thresh3), and probes
 * managed ones for ever: no more of them than leaves room for others.
 */
#define MOST 512

struct hops {
	struct route_hop at[MOST];
	int count;
	bool more;   /* there were */
	bool unread; /* some route could not be read */
	struct route_mtus mtus;
};

static void hops_free(struct hops *hops)
{
	if (hops)
		free(hops->mtus.rows);
	free(hops);
}

static bool hops_note(void *data, const struct addr *backend,
		      const struct route_hop *found, int count)
{
	struct hops *hops = data;
	int i;

	hops->unread |= count < 0;
	route_mtus_note(&hops->mtus, backend, found, count);
	for (i = 0; i < count; i++) {
		if (route_hop_find(hops->at, hops->count, found[i].ifindex,
				   &found[i].via) >= 0)
			continue;
		if (hops->count == MOST)
			hops->more = true;
		else
			hops->at[hops->count++] = found[i];
	}
	return false;
}

/* NULL without memory. */
static struct hops *hops_read(const struct config *config)
{
	struct hops *hops = calloc(1, sizeof(*hops));
	size_t count;
	struct addr *backends = backend_addresses(config, &count);

	if (hops &&
	    (!backends || route_hops_each(backends, count, hops_note, hops)))
		hops->unread = true;
	free(backends);
	return hops;
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
		if (change_neighbour(kernel, hops->at[i].ifindex,
				     &hops->at[i].via, &is_asked[i], &said))
			fault_warn(&said);
	}
	if (hops && hops->more) {
		fault(&said,
		      "of more than %d next hops, only so many are kept fresh",
		      MOST);
		fault_warn(&said);
	}
	if (hops && hops->count)
		carrier_keep(kernel, hops->at, hops->count);
	/* `run` has other work, and hears of changes. */
	if (hops && !kernel->in_loop)
		neighbours_wait(hops->at, is_asked, hops->count);
	hops_free(hops);
}

/* Neighbours that were made managed, and whether a backend needs them. */
struct noted {
	struct route_hop at[MAX_CHANGES];
	bool is_needed[MAX_CHANGES];
	int count, left; /* left: those with is_needed unknown */
	bool unread;
};

static bool noted_is_needed(int ifindex, const struct addr *via,
			    const void *data)
{
	const struct noted *noted = data;
	int i = route_hop_find(noted->at, noted->count, ifindex, via);

	return i >= 0 && noted->is_needed[i];
}

static bool noted_see(void *data, const struct addr *backend,
		      const struct route_hop *found, int count)
{
	struct noted *noted = data;
	int i, at;

	(void)backend;
	noted->unread |= count < 0;
	for (i = 0; i < count; i++) {
		at = route_hop_find(noted->at, noted->count, found[i].ifindex,
				    &found[i].via);
		if (at < 0 || noted->is_needed[at])
			continue;
		noted->is_needed[at] = true;
		noted->left--;
	}
	return !noted->left;
}

/* Backends that are being removed still have flows. */
static void noted_see_removing(struct noted *noted, const struct kernel *kernel)
{
	struct running running;
	struct fault ignored;
	struct addr *backends;
	size_t i, count = 0;

	noted->unread = true;
	if (running_read(kernel, generation_current(kernel), &running,
			 &ignored))
		return;
	backends = calloc(running.backend_count + 1, sizeof(*backends));
	for (i = 0; backends && i < running.backend_count; i++) {
		if (running.by_address[i]->state == BACKEND_REMOVING)
			backends[count++] = running.by_address[i]->address;
	}
	if (backends) {
		noted->unread = false;
		count = addresses_sort(backends, count);
		noted->unread |=
			route_hops_each(backends, count, noted_see, noted);
	}
	free(backends);
	running_free(&running);
}

/* Asks for routes only until all that are noted are known to be needed. */
void lbr_neighbours_settle(struct kernel *kernel, const struct config *config)
{
	struct noted *noted = calloc(1, sizeof(*noted));
	size_t count;
	struct addr *backends = backend_addresses(config, &count);

	if (noted && backends) {
		noted->count =
			change_neighbours(kernel, noted->at, MAX_CHANGES);
		noted->left = noted->count;
		if (noted->left &&
		    route_hops_each(backends, count, noted_see, noted))
			noted->unread = true;
		if (noted->left && !noted->unread)
			noted_see_removing(noted, kernel);
		/* Before any is released, all that are needed must be known. */
		if (!noted->unread)
			change_neighbours_keep(kernel, noted_is_needed, noted);
	}
	free(backends);
	free(noted);
}
