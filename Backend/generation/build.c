// SPDX-License-Identifier: GPL-2.0-only
/*
 * build.c - build this host's part of the file as a generation of xdp_bkd
 *
 * The file lists backends; this host is each backend whose address it has on an
 * interface other than lo. What it has restored so far and the file no longer
 * has is kept for `grace` and `drain-timeout`. So the order in which a change
 * reaches load balancers and backends breaks no flow, and no backend stops
 * before a load balancer has.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "Backend/generation/layouts.h"
#include "common/base/address.h"
#include "common/config/transition.h"
#include "common/core/abi_services.h"
#include "common/core/restore.h"
#include "common/kernel/generation.h"
#include "common/kernel/takeover.h"
#include "common/net/netlink.h"
#include "common/tables/restores.h"

bool is_own(const struct addr *address, const struct addr *own, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!memcmp(address, &own[i], sizeof(*address)))
			return true;
	}
	return false;
}

int own_addresses(const struct kernel *kernel, struct addr **own,
		  struct fault *fault_out)
{
	int lo = (int)if_nametoindex("lo"), kept = 0, i;
	struct link_address *rows;
	int count = addresses_read(&rows, fault_out);

	if (count < 0)
		return -1;
	*own = calloc((size_t)(count + kernel->address_count) + 1,
		      sizeof(**own));
	for (i = 0; *own && i < count; i++) {
		if (rows[i].ifindex != lo)
			(*own)[kept++] = rows[i].address;
	}
	for (i = 0; *own && i < kernel->address_count; i++)
		(*own)[kept++] = kernel->addresses[i];
	free(rows);
	return *own ? kept
		    : fault(fault_out, "cannot list addresses: %s",
			    strerror(ENOMEM));
}

int bkd_concerns(const struct kernel *kernel, const struct config *config,
		 struct fault *fault_out)
{
	char names[256] = "", text[INET6_ADDRSTRLEN];
	struct addr *own;
	int count = own_addresses(kernel, &own, fault_out), i;
	size_t s, b, length = 0;

	if (count < 0)
		return -1;
	for (s = 0; s < config->service_count; s++) {
		for (b = 0; b < config->services[s].backend_count; b++) {
			if (is_own(&config->services[s].backends[b].address,
				   own, count)) {
				free(own);
				return 0;
			}
		}
	}
	for (i = 0; i < count && length < sizeof(names) - 48; i++)
		length +=
			(size_t)snprintf(names + length, sizeof(names) - length,
					 " %s", addr_text(&own[i], text));
	free(own);
	fault(fault_out,
	      "cannot attach xdp_bkd: %s lists no backend with an address of "
	      "this host (%s)",
	      config->path, *names ? names + 1 : "it has none");
	return fault_hint(fault_out, "add one of them to the file, under "
				     "`backends:`");
}

/* How a packet of the service is identified when it arrives here. */
static struct restore_key key_of(const struct config_service *service,
				 const struct addr *address)
{
	struct restore_key key = {.address = *address,
				  .port = service->port,
				  .protocol = service->protocol,
				  .dscp = service->method.dscp};

	switch (method_restored_by(&service->method)) {
	case RESTORED_BY_ADDRESS:
	case RESTORED_BY_MARK:
		break;
	case RESTORED_BY_INNER:
		key.inner = service->vip;
		break;
	case RESTORED_BY_VIP:
		key.address = service->vip;
		break;
	case RESTORED_BY_NOTHING: /* it has no rows */
		break;
	}
	return key;
}

/*
 * An `apply` of what is in transition already begins nothing. `was`: of the
 * rows that run.
 */
static __u64 since_when(const struct counters *counters, const __u64 *was,
			const struct restore_key *key, __u32 pool, __u64 now)
{
	const struct restore_row *old =
		restores_find(counters->rows, counters->count, key);

	return was && old && old->restore.table_size &&
			       old->restore.pool == pool
		       ? was[old->index % (1 + MAX_RESTORES)]
		       : now;
}

static struct restore value_of(const struct config_service *service,
			       const struct candidate_region *region,
			       const struct config_backend *backend)
{
	return (struct restore){
		.vip = service->vip,
		.method = service->method,
		.scheduler = service->scheduler,
		.table_size = region->table_size,
		.lists_first = region->lists_first,
		.was_size = region->was_size,
		.was_scheduler = scheduler_before(service),
		.standing = region->standing,
		.at_own = backend->restore == RESTORE_TC,
		.self = candidate_number(region, service, &backend->address),
		.pool = region->pool,
	};
}

/* Adds every row that the file has for this host. */
static int rows_of_file(const struct kernel *kernel, struct restores *restores,
			__u32 index, const struct config *config,
			const struct candidate_region *regions,
			const struct addr *own, int own_count,
			struct counters *counters)
{
	const struct config_service *service = config->services;
	__u64 *was, now = 0;
	struct restore_key key;
	struct restore value;
	size_t s, b;

	if (jiffies_now(kernel, &now))
		return -1;
	was = restores_since(kernel, generation_current(kernel));
	for (s = 0; s < config->service_count; s++, service++) {
		if (!method_is_restored(&service->method))
			continue;
		for (b = 0; b < service->backend_count; b++) {
			if (!is_own(&service->backends[b].address, own,
				    own_count))
				continue;
			key = key_of(service, &service->backends[b].address);
			/* By VIP: an address of this host has already added it.
			 */
			if (restore_find(restores, &key))
				continue;
			value = value_of(service, &regions[s],
					 &service->backends[b]);
			value.generation = (__u16)index;
			value.counter = counter_of(counters, &key, &value.vip);
			if (restores_add(restores, &key, &value) < 0) {
				free(was);
				errno = E2BIG;
				return -1;
			}
			restores->since[restores->count] = since_when(
				counters, was, &key, value.pool, now);
		}
	}
	free(was);
	return 0;
}

/* The row that is restored longest first. */
static int by_end(const void *a, const void *b)
{
	const struct restore_row *x = a, *y = b;

	if (x->restore.until != y->restore.until)
		return x->restore.until > y->restore.until ? -1 : 1;
	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/*
 * Adds the rows restored so far, with an end: a load balancer may use the
 * previous file for `grace`, and from then on drains for `drain-timeout`. If
 * there is no room, those that end first are left out.
 */
static int rows_of_before(struct kernel *kernel, struct restores *restores,
			  const struct config *config, struct restore_row *rows,
			  int count)
{
	__u64 now = 0, span = jiffies_of((__u64)config->restore_grace +
					 config->drain_timeout);
	int i, rc = count ? jiffies_now(kernel, &now) : 0;

	for (i = 0; !rc && i < count; i++) {
		if (!rows[i].restore.until)
			rows[i].restore.until = now + span;
		/* Its lists were those of the generation before. */
		rows[i].restore.table_size = 0;
	}
	qsort(rows, (size_t)count, sizeof(*rows), by_end);
	for (i = 0; !rc && i < count && rows[i].restore.until > now; i++) {
		/* The file's own row counts. */
		if (restores_add(restores, &rows[i].key, &rows[i].restore) < 0)
			break;
	}
	return rc;
}

/* What is restored so far. *rows is to be freed. Their number, or -1. */
static int rows_running(const struct kernel *kernel, struct restore_row **rows)
{
	__u32 current = generation_current(kernel);
	const struct kernel *before = kernel->before;

	if (!before || current != NO_GENERATION ||
	    generation_current(before) == NO_GENERATION)
		return restores_read(kernel, current, rows);
	return restores_read_as(before, generation_current(before),
				restore_layout(takeover_layout(before)), rows);
}

static int rows_write(struct kernel *kernel, struct restores *restores,
		      __u32 index, const struct config *config,
		      const struct candidate_region *regions,
		      const struct addr *own, int own_count)
{
	struct restore_row *rows;
	int count = rows_running(kernel, &rows);
	struct counters counters;
	int rc;

	if (count < 0)
		return -1;
	rc = counters_open(&counters, kernel, rows, count)
		     ?: rows_of_file(kernel, restores, index, config, regions,
				     own, own_count, &counters);
	counters_close(&counters);
	rc = rc ?: rows_of_before(kernel, restores, config, rows, count);
	free(rows);
	return rc;
}

/* The senders of tunnelled packets that are accepted. */
static int sources_write(struct kernel *kernel, const struct config *config,
			 __u32 index, struct fault *fault_out)
{
	int map = inner_take(kernel, "sources", index, 0, fault_out), rc = 0;
	__u8 yes = 1;
	size_t i;

	if (map < 0)
		return -1;
	for (i = 0; i < config->lb_source_count && !rc; i++)
		rc = bpf_map_update_elem(map, &config->lb_sources[i], &yes,
					 BPF_ANY);
	if (rc)
		rc = fault(fault_out, "cannot write lb-sources: %s",
			   strerror(errno));
	close(map);
	return rc;
}

/* Fills the map at `index`. */
static int restores_write(struct kernel *kernel, const struct config *config,
			  __u32 index, const struct candidate_region *regions,
			  const struct addr *own, int own_count,
			  struct fault *fault_out)
{
	int map = inner_take(kernel, "restores", index, 0, fault_out), rc = -1;
	struct restores *restores;
	size_t size;

	if (map < 0)
		return -1;
	restores = map_open(map, PROT_READ | PROT_WRITE, &size);
	close(map);
	if (restores) {
		restores_clear(restores);
		rc = rows_write(kernel, restores, index, config, regions, own,
				own_count);
	}
	if (rc)
		fault(fault_out, "cannot write what to restore: %s",
		      strerror(errno));
	if (restores)
		munmap(restores, size);
	return rc;
}

/*
 * restore: tc: a packet for the VIP does not say to which of this host's
 * addresses it came. So a service has one here.
 */
static int one_at_own(const struct config_service *service,
		      const struct addr *own, int own_count,
		      struct fault *fault_out)
{
	const struct config_backend *here[2] = {NULL, NULL};
	char first[INET6_ADDRSTRLEN], second[INET6_ADDRSTRLEN];
	bool at_own = false;
	size_t b;

	for (b = 0; b < service->backend_count; b++) {
		const struct config_backend *each = &service->backends[b];

		if (!is_own(&each->address, own, own_count))
			continue;
		here[here[0] != NULL] = each;
		at_own |= each->restore == RESTORE_TC;
	}
	if (!at_own || !here[1])
		return 0;
	fault(fault_out,
	      "cannot use restore: tc for the service on line %u: this host is "
	      "more than one of its backends, %s and %s",
	      service->line, addr_text(&here[0]->address, first),
	      addr_text(&here[1]->address, second));
	return fault_hint(fault_out, "one backend of each service on a host");
}

static int all_one_at_own(const struct config *config, const struct addr *own,
			  int own_count, struct fault *fault_out)
{
	size_t s;

	for (s = 0; s < config->service_count; s++) {
		if (one_at_own(&config->services[s], own, own_count, fault_out))
			return -1;
	}
	return 0;
}

int bkd_build(struct kernel *kernel, const struct config *config, __u32 index,
	      struct generation *generation, struct fault *fault_out)
{
	struct addr *own;
	int own_count = own_addresses(kernel, &own, fault_out), rc;
	struct candidate_region *regions = NULL;

	(void)generation;
	if (own_count < 0)
		return -1;
	rc = all_one_at_own(config, own, own_count, fault_out) ||
	     sources_write(kernel, config, index, fault_out) ||
	     candidates_write(kernel, config, own, own_count, index, &regions,
			      fault_out) ||
	     restores_write(kernel, config, index, regions, own, own_count,
			    fault_out);
	free(regions);
	free(own);
	return rc ? -1 : 0;
}
