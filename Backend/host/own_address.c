// SPDX-License-Identifier: GPL-2.0-only
/*
 * own_address.c - key `restore: tc`: servers that listen on this host's own
 * address
 *
 * No interface has the VIP; a local route takes in what is for it. Which
 * address a server listens on, xdp_bkd reads in the map `servers`; it notes the
 * listeners themselves, which bkd_listener gives to the kernel (see
 * Backend/datapath/listener.bpf.h).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "Backend/host/host.h"
#include "common/base/address.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/host/local_route.h"
#include "common/kernel/generation.h"

#define LOOKUP "bkd_listener in this network namespace"

const struct config_backend *backend_here(const struct config_service *service,
					  const struct addr *own, int count)
{
	size_t b;

	for (b = 0; b < service->backend_count; b++) {
		if (is_own(&service->backends[b].address, own, count))
			return &service->backends[b];
	}
	return NULL;
}

const struct addr *listened_at(const struct config_service *service,
			       const struct config_backend *here)
{
	return here->restore == RESTORE_TC ? &here->address : &service->vip;
}

static bool is_at_own(const struct config_service *service,
		      const struct addr *own, int count)
{
	const struct config_backend *here = backend_here(service, own, count);

	return here && here->restore == RESTORE_TC;
}

bool serves_at_own(const struct config *config, const struct addr *own,
		   int count)
{
	size_t s;

	for (s = 0; s < config->service_count; s++) {
		if (is_at_own(&config->services[s], own, count))
			return true;
	}
	return false;
}

/*
 * Is every packet of the server's port one of the service? Not if it is any
 * port: this host's own connections have some, too.
 */
static bool stands_for_vip(const struct method *method, __be16 port)
{
	return port && method_is_by_address(method);
}

static int server_write(const struct kernel *kernel,
			const struct config_service *service,
			const struct config_backend *backend,
			struct fault *fault_out)
{
	int servers = kernel_map(kernel, "servers");
	int vips = kernel_map(kernel, "server_vips"), rc;
	struct service_key key = {.vip = service->vip,
				  .port = service->port,
				  .protocol = service->protocol};

	rc = bpf_map_update_elem(servers, &key, &backend->address, BPF_ANY);
	key.vip = backend->address;
	if (!rc && stands_for_vip(&service->method, service->port))
		rc = bpf_map_update_elem(vips, &key, &service->vip, BPF_ANY);
	if (rc)
		fault(fault_out, "cannot write where servers listen: %s",
		      strerror(errno));
	if (servers >= 0)
		close(servers);
	if (vips >= 0)
		close(vips);
	return rc;
}

static int lookup_attach(struct kernel *kernel, struct fault *fault_out)
{
	bool is_new;

	if (!kernel_can_keep_sockets()) {
		fault(fault_out,
		      "cannot use restore: tc: this kernel has no maps of "
		      "sockets (CONFIG_BPF_STREAM_PARSER)");
		return fault_hint(fault_out,
				  "restore: lo, or Linux 5.13 or later");
	}
	if (!kernel_lookup_attached(kernel) && !change_again(kernel, LOOKUP))
		return 0;
	if (kernel_lookup_attach(kernel, &is_new, fault_out))
		return -1;
	if (is_new)
		printf("bkd_listener attached to this network namespace\n");
	return 0;
}

int own_address_host(struct kernel *kernel, const struct config *config,
		     const struct addr *own, int count, struct fault *fault_out)
{
	const struct config_service *service = config->services;
	int rc = 0;
	size_t s;

	if (!serves_at_own(config, own, count))
		return 0;
	if (lookup_attach(kernel, fault_out))
		return -1;
	for (s = 0; !rc && s < config->service_count; s++, service++) {
		if (!is_at_own(service, own, count))
			continue;
		rc = server_write(kernel, service,
				  backend_here(service, own, count), fault_out)
			     ?: local_route_add(kernel, &service->vip,
						fault_out);
	}
	return rc ?: own_tc_host(kernel, fault_out);
}

/* An address, port and protocol of rows, sorted. */
struct row_keys {
	struct service_key *keys;
	size_t count;
};

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct service_key));
}

/* `key`: of a row; false: it has none. 0, or -1 without memory. */
static int row_keys_of(const struct restore_row *rows, int count,
		       bool (*key)(const struct restore_row *row,
				   struct service_key *key),
		       struct row_keys *of)
{
	int i;

	*of = (struct row_keys){
		calloc((size_t)count + 1, sizeof(struct service_key)), 0};
	for (i = 0; of->keys && i < count; i++) {
		of->keys[of->count].port = rows[i].key.port;
		of->keys[of->count].protocol = rows[i].key.protocol;
		of->count += key(&rows[i], &of->keys[of->count]);
	}
	if (!of->keys)
		return -1;
	qsort(of->keys, of->count, sizeof(struct service_key), compare_keys);
	return 0;
}

static bool vip_at_own(const struct restore_row *row, struct service_key *key)
{
	key->vip = row->restore.vip;
	return row->restore.at_own;
}

static bool vip_on_lo(const struct restore_row *row, struct service_key *key)
{
	key->vip = row->restore.vip;
	return !row->restore.at_own && !row->restore.until;
}

static bool own_for_vip(const struct restore_row *row, struct service_key *key)
{
	key->vip = row->key.address;
	return row->restore.at_own &&
	       stands_for_vip(&row->restore.method, row->key.port);
}

static bool has_key(const struct row_keys *of, struct service_key key)
{
	return bsearch(&key, of->keys, of->count, sizeof(key), compare_keys);
}

/* The rows of the running generation, by where the server listens. */
struct needed {
	struct row_keys at_own; /* also of those that left the file */
	struct row_keys on_lo;	/* by the file, which counts */
	struct row_keys owns;	/* own addresses that stand for a VIP */
};

static void needed_free(struct needed *needed)
{
	free(needed->at_own.keys);
	free(needed->on_lo.keys);
	free(needed->owns.keys);
}

/* 0, or -1; needed_free() is due in every case. */
static int needed_read(const struct kernel *kernel, struct needed *needed)
{
	struct restore_row *rows;
	int count = restores_read(kernel, generation_current(kernel), &rows);
	int rc = -1;

	*needed = (struct needed){{NULL, 0}, {NULL, 0}, {NULL, 0}};
	if (count >= 0)
		rc = row_keys_of(rows, count, vip_at_own, &needed->at_own)
			     ?: row_keys_of(rows, count, vip_on_lo,
					    &needed->on_lo)
			     ?: row_keys_of(rows, count, own_for_vip,
					    &needed->owns);
	free(rows);
	return rc;
}

/* A port without a row has that of any. */
static bool is_needed(const struct needed *needed, struct service_key key)
{
	if (has_key(&needed->at_own, key) || has_key(&needed->on_lo, key))
		return !has_key(&needed->on_lo, key);
	key.port = 0;
	return has_key(&needed->at_own, key) && !has_key(&needed->on_lo, key);
}

static bool stands(const struct needed *needed, struct service_key key)
{
	return has_key(&needed->owns, key);
}

/* Removes the keys that no row needs. */
static void map_prune(const struct kernel *kernel, const char *name,
		      bool (*keep)(const struct needed *needed,
				   struct service_key key),
		      const struct needed *needed)
{
	int map = kernel_map(kernel, name);
	struct service_key key, kept, *last = NULL;

	while (map >= 0 && !bpf_map_get_next_key(map, last, &key)) {
		if (keep(needed, key)) {
			kept = key;
			last = &kept;
		} else if (bpf_map_delete_elem(map, &key) && errno != ENOENT) {
			break;
		}
	}
	if (map >= 0)
		close(map);
}

/* For changes_keep(): the VIPs of the file, by where the server listens. */
struct listened {
	const struct config *config;
	struct addr *own;
	int own_count;
};

/* Has a service of this VIP here such a server? */
static bool is_listened(const char *text, const struct listened *listened,
			enum config_restore restore)
{
	const struct config *config = listened->config;
	const struct config_backend *here;
	struct addr vip;
	size_t s;

	if (addr_parse(text, &vip))
		return false;
	for (s = 0; s < config->service_count; s++) {
		if (!addr_equal(&config->services[s].vip, &vip))
			continue;
		here = backend_here(&config->services[s], listened->own,
				    listened->own_count);
		if (here && here->restore == restore)
			return true;
	}
	return false;
}

/* What left the file is restored for `grace` and `drain-timeout`. */
static bool address_is_needed(const char *text, const void *data)
{
	return is_listened(text, data, RESTORE_LO) ||
	       !is_listened(text, data, RESTORE_TC);
}

static bool route_is_needed(const char *text, const void *data)
{
	return is_listened(text, data, RESTORE_TC) ||
	       !is_listened(text, data, RESTORE_LO);
}

void own_address_settle(struct kernel *kernel, const struct config *config)
{
	struct listened listened = {.config = config};
	struct needed needed;
	struct fault ignored;

	listened.own_count = own_addresses(kernel, &listened.own, &ignored);
	if (listened.own_count >= 0) {
		/* Of thousands of VIPs on lo, none needs be looked for. */
		if (serves_at_own(config, listened.own, listened.own_count))
			changes_keep(kernel, "address", address_is_needed,
				     &listened);
		changes_keep(kernel, "local", route_is_needed, &listened);
		free(listened.own);
	}
	if (!needed_read(kernel, &needed)) {
		map_prune(kernel, "servers", is_needed, &needed);
		map_prune(kernel, "listeners", is_needed, &needed);
		map_prune(kernel, "server_vips", stands, &needed);
		if (!needed.at_own.count)
			own_tc_remove(kernel);
		if (!needed.at_own.count && kernel_lookup_detach(kernel))
			printf("bkd_listener detached\n");
	}
	needed_free(&needed);
}
