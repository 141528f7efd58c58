// SPDX-License-Identifier: GPL-2.0-only
/*
 * path_mtus.c - see path_mtus.h
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/path_mtus.h"
#include "common/base/address.h"
#include "common/base/json.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/address.h"
#include "common/core/age.h"
#include "common/host/change.h"
#include "common/net/device.h"

/*
 * An IPv6 interface may have a smaller MTU than its device
 * (net.ipv6.conf.IFACE.mtu); a route that is not locked then has that. 0: it is
 * not smaller.
 */
static __u32 ipv6_mtu(unsigned int ifindex)
{
	char path[64 + IF_NAMESIZE], value[16], name[IF_NAMESIZE];
	int mtu;

	if (!if_indextoname(ifindex, name))
		return 0;
	snprintf(path, sizeof(path), "net/ipv6/conf/%s/mtu", name);
	if (sysctl_read(path, value, sizeof(value)))
		return 0;
	mtu = atoi(value);
	return mtu > 0 && mtu < device_mtu(name) ? (__u32)mtu : 0;
}

/* Thousands of backends are behind one interface. */
static __u32 ipv6_mtu_known(struct route_mtus *mtus, int ifindex)
{
	if (mtus->ifindex != ifindex) {
		mtus->ifindex = ifindex;
		mtus->ipv6_mtu = ipv6_mtu((unsigned int)ifindex);
	}
	return mtus->ipv6_mtu;
}

void route_mtus_note(struct route_mtus *mtus, const struct addr *backend,
		     const struct route_hop *hops, int count)
{
	struct route_mtu *grown;
	__u32 least = 0, mtu;
	int i;

	for (i = 0; i < count; i++) {
		mtu = hops[i].locked;
		if (!mtu && !addr_is_v4(backend))
			mtu = ipv6_mtu_known(mtus, hops[i].ifindex);
		if (mtu && (!least || mtu < least))
			least = mtu;
	}
	if (!least)
		return;
	grown = realloc(mtus->rows, (mtus->count + 1) * sizeof(*grown));
	if (!grown)
		return;
	mtus->rows = grown;
	grown[mtus->count++] = (struct route_mtu){*backend, least};
}

/* A row begins with its address. */
static int by_address(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct addr));
}

static bool is_noted(const struct route_mtus *mtus, const struct addr *to)
{
	return mtus->count && bsearch(to, mtus->rows, mtus->count,
				      sizeof(*mtus->rows), by_address);
}

void route_mtus_write(const struct kernel *kernel, struct route_mtus *mtus)
{
	int map = kernel_map(kernel, "route_mtus");
	struct addr key, next;
	bool more;
	size_t i;

	for (i = 0; map >= 0 && i < mtus->count; i++)
		bpf_map_update_elem(map, &mtus->rows[i].to, &mtus->rows[i].mtu,
				    BPF_ANY);
	/* After a key that is gone, the first one follows: none is left out. */
	more = map >= 0 && !bpf_map_get_next_key(map, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if (!is_noted(mtus, &key))
			bpf_map_delete_elem(map, &key);
	}
	if (map >= 0)
		close(map);
	free(mtus->rows);
	memset(mtus, 0, sizeof(*mtus));
}

/* How long it is still valid, milliseconds; 0: expired. */
static __u64 left_of(const struct path_mtu *path, __u64 now)
{
	__u64 most = jiffies_of(PATH_MTU_SECONDS * 1000);
	__u64 old = age(now, path->seen);

	return old > most ? 0 : milliseconds_of(most - old) + 1;
}

static __u32 told(const struct kernel *kernel, const struct addr *backend)
{
	int map = kernel_map(kernel, "path_mtus");
	struct path_mtu path = {0};
	__u64 now = 0;

	if (map < 0)
		return 0;
	if (bpf_map_lookup_elem(map, backend, &path) ||
	    jiffies_now(kernel, &now) || !left_of(&path, now))
		path.mtu = 0;
	close(map);
	return path.mtu;
}

static __u32 locked(const struct kernel *kernel, const struct addr *backend)
{
	int map = kernel_map(kernel, "route_mtus");
	__u32 mtu = 0;

	if (map < 0)
		return 0;
	if (bpf_map_lookup_elem(map, backend, &mtu))
		mtu = 0;
	close(map);
	return mtu;
}

struct path_size path_size(const struct kernel *kernel,
			   const struct addr *backend, __u32 file)
{
	const struct path_size limits[] = {
		{locked(kernel, backend), "route"},
		{file, "file"},
		{told(kernel, backend), "router"},
	};
	struct path_size size = {0, "interface"};
	struct route_hop hops[MOST_ROUTE_HOPS];
	char name[IF_NAMESIZE];
	int count = route_hops_read(backend, hops, MOST_ROUTE_HOPS), i;
	__u32 mtu;

	for (i = 0; i < count; i++) {
		if (!if_indextoname((unsigned int)hops[i].ifindex, name))
			continue;
		mtu = (__u32)device_mtu(name);
		if (!size.mtu || mtu < size.mtu)
			size.mtu = mtu;
	}
	for (i = 0; size.mtu && i < 3; i++) {
		if (limits[i].mtu && limits[i].mtu < size.mtu)
			size = limits[i];
	}
	return size;
}

json_t *path_mtus_rows(const struct kernel *kernel, struct fault *fault_out)
{
	int map = kernel_map(kernel, "path_mtus");
	struct addr key, *last = NULL;
	struct path_mtu path;
	json_t *rows;
	__u64 now, left;

	if (map < 0 || jiffies_now(kernel, &now)) {
		fault(fault_out, "cannot read the path MTUs: %s",
		      strerror(errno));
		if (map >= 0)
			close(map);
		return NULL;
	}
	rows = json_array();
	for (; !bpf_map_get_next_key(map, last, &key); last = &key) {
		if (bpf_map_lookup_elem(map, &key, &path))
			continue;
		left = left_of(&path, now);
		if (left)
			json_array_append_new(
				rows,
				json_pack("{s:o, s:I, s:I}", "backend",
					  json_addr(&key), "mtu",
					  (json_int_t)path.mtu, "seconds-left",
					  (json_int_t)(left / 1000)));
	}
	close(map);
	return rows;
}

int path_mtus_forget(const struct kernel *kernel, const struct addr *backend)
{
	int map = kernel_map(kernel, "path_mtus"), forgotten = 0;
	char text[INET6_ADDRSTRLEN];
	struct addr key, next;
	bool more;

	if (map < 0)
		return -1;
	more = !bpf_map_get_next_key(map, NULL, &next);
	while (more) {
		key = next;
		more = !bpf_map_get_next_key(map, &key, &next);
		if ((backend && memcmp(backend, &key, sizeof(key))) ||
		    bpf_map_delete_elem(map, &key))
			continue;
		printf("path MTU of backend %s: forgotten\n",
		       addr_text(&key, text));
		forgotten++;
	}
	close(map);
	return forgotten;
}

void path_mtus_settle(const struct kernel *kernel, const struct config *config)
{
	const struct config_service *service = config->services;
	const struct config_backend *backend;
	const struct running_service *was;
	struct running running;
	struct backend *old;
	struct fault ignored;
	size_t i;

	if (kernel->drop_flows) {
		path_mtus_forget(kernel, NULL);
		return;
	}
	if (running_read(kernel, generation_current(kernel), &running,
			 &ignored))
		return;
	for (; service < config->services + config->service_count; service++) {
		was = running_service_for(&running, service);
		for (i = 0; was && i < service->backend_count; i++) {
			backend = &service->backends[i];
			old = running_backend(&running, was->service.id,
					      &backend->address);
			if (old && old->mtu != backend->mtu)
				path_mtus_forget(kernel, &backend->address);
		}
	}
	running_free(&running);
}
