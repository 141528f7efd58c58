// SPDX-License-Identifier: GPL-2.0-only
/*
 * peers.c - the MAC addresses of other backends, to which no router leads
 *
 * By a method that is not routed (l2), a packet of another backend's flow is
 * passed on to the MAC address of that backend. The FIB of a server that
 * forwards nothing does not tell xdp_bkd (FWD_DISABLED), and the kernel has no
 * entry for a neighbour that nobody talks to. So the tool has the kernel manage
 * these neighbours, and writes their MAC addresses into the map `peer_links`:
 * `up` and `apply` before the switch, `run` whenever a neighbour changes.
 * Before Linux 5.16, which manages none, `run` uses the entries each 5 s.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/generation.h"
#include "Backend/host/host.h"
#include "common/base/address.h"
#include "common/config/transition.h"
#include "common/host/carrier.h"
#include "common/host/change.h"
#include "common/kernel/map_replace.h"
#include "common/net/routes.h"

/* The peers of this host, and the interfaces of those with a MAC address. */
struct peers {
	struct addr wanted[PEER_LINKS];
	/* ifindex 0: not on a segment here; else `via` is the peer. */
	struct route_hop hops[PEER_LINKS];
	int count;
	bool more;	  /* than fit into `wanted` */
	bool has_managed; /* this kernel can manage neighbours */
	struct kernel *kernel;
};

/* Its index, or -1. */
static int peer_find(const struct peers *peers, const struct addr *address)
{
	int i;

	for (i = 0; i < peers->count; i++) {
		if (!memcmp(&peers->wanted[i], address, sizeof(*address)))
			return i;
	}
	return -1;
}

static void peers_add(struct peers *peers, const struct addr *address)
{
	if (peer_find(peers, address) >= 0)
		return;
	if (peers->count == PEER_LINKS)
		peers->more = true;
	else
		peers->wanted[peers->count++] = *address;
}

/* Those of one service, if this host is one of its backends. */
static void peers_of(struct peers *peers, const struct config_service *service,
		     const struct addr *own, int own_count)
{
	bool is_here = false;
	size_t i;

	for (i = 0; i < service->backend_count; i++)
		is_here |=
			is_own(&service->backends[i].address, own, own_count);
	for (i = 0; is_here && i < service->backend_count; i++) {
		if (!is_own(&service->backends[i].address, own, own_count))
			peers_add(peers, &service->backends[i].address);
	}
}

/* Does second chance need the MAC addresses of its backends? */
static bool needs_links(const struct config_service *service)
{
	return has_second_chance(service) &&
	       !method_is_routed(&service->method);
}

bool has_peers(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (needs_links(&config->services[i]))
			return true;
	}
	return false;
}

/* Asks for its MAC address, if it is on a segment of this host. */
static bool peer_ask(void *data, const struct addr *to,
		     const struct route_hop *hops, int count)
{
	struct peers *peers = data;
	struct fault said;
	bool is_asked;
	int i = peer_find(peers, to);

	if (i < 0 || count < 1 || memcmp(&hops[0].via, to, sizeof(*to)))
		return false;
	peers->hops[i] = hops[0];
	/* Also if it has one: nobody else asks whether that has changed. */
	if (!peers->has_managed)
		neighbour_use(hops[0].ifindex, to);
	else if (change_neighbour(peers->kernel, hops[0].ifindex, to, &is_asked,
				  &said))
		fault_warn(&said);
	return false;
}

/* Reads who is asked for, and asks. To be freed; NULL with a fault. */
static struct peers *peers_read(struct kernel *kernel,
				const struct config *config,
				struct fault *fault_out)
{
	struct peers *peers = calloc(1, sizeof(*peers));
	struct fault ignored;
	struct addr *own;
	int count;
	size_t i;

	if (!peers) {
		fault(fault_out, "cannot list peers: %s", strerror(ENOMEM));
		return NULL;
	}
	count = own_addresses(kernel, &own, fault_out);
	if (count < 0) {
		free(peers);
		return NULL;
	}
	for (i = 0; i < config->service_count; i++) {
		if (needs_links(&config->services[i]))
			peers_of(peers, &config->services[i], own, count);
	}
	free(own);
	peers->kernel = kernel;
	peers->has_managed = peers->count && !neighbours_possible(&ignored);
	if (!peers->count ||
	    !route_hops_each(peers->wanted, (size_t)peers->count, peer_ask,
			     peers))
		return peers;
	fault(fault_out, "cannot read the routes to other backends");
	free(peers);
	return NULL;
}

/* Replaces what is in the map by those that have a MAC address. 0, or -1. */
static int peers_write(const struct peers *peers)
{
	struct addr keys[PEER_LINKS];
	struct peer_link links[PEER_LINKS];
	struct neighbour is;
	int i, count = 0;

	for (i = 0; i < peers->count; i++) {
		if (!peers->hops[i].ifindex)
			continue;
		neighbour_read(peers->hops[i].ifindex, &peers->wanted[i], &is);
		if (!is.resolved)
			continue;
		keys[count] = peers->wanted[i];
		links[count] = (struct peer_link){
			.device = (__u32)peers->hops[i].ifindex};
		memcpy(links[count++].mac, is.mac, sizeof(is.mac));
	}
	return map_replace(kernel_map(peers->kernel, "peer_links"), keys,
			   sizeof(keys[0]), links, sizeof(links[0]), count);
}

int bkd_peers(struct kernel *kernel, const struct config *config,
	      struct fault *fault_out)
{
	struct peers *peers = peers_read(kernel, config, fault_out);
	struct fault said;
	int rc;

	if (!peers)
		return -1;
	if (peers->more && !kernel->in_loop) {
		fault(&said,
		      "cannot keep the MAC addresses of more than %d other "
		      "backends: what would go to the rest is dropped",
		      PEER_LINKS);
		fault_warn(&said);
	}
	carrier_keep(kernel, peers->hops, peers->count);
	/* `run` hears of the answers. */
	if (!kernel->in_loop)
		neighbours_wait(peers->hops, NULL, peers->count);
	rc = peers_write(peers);
	if (rc)
		fault(fault_out, "cannot write where other backends are: %s",
		      strerror(errno));
	free(peers);
	return rc;
}

static bool is_peer(int ifindex, const struct addr *address, const void *data)
{
	const struct peers *peers = data;

	return route_hop_find(peers->hops, peers->count, ifindex, address) >= 0;
}

void bkd_peers_settle(struct kernel *kernel, const struct config *config)
{
	struct fault said;
	struct peers *peers = peers_read(kernel, config, &said);

	if (!peers) {
		fault_warn(&said);
		return;
	}
	change_neighbours_keep(kernel, is_peer, peers);
	free(peers);
}
