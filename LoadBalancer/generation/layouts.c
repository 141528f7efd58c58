// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/layouts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/generation/secrets.h"
#include "LoadBalancer/generation/unmark.h"
#include "common/base/address.h"
#include "common/core/flows.h"
#include "common/kernel/generation.h"
#include "common/kernel/takeover.h"

/* A line each, so that two changes can each add one. */
/* clang-format off */
static const struct layout *const layouts[] = {
	&layout_v4,
	NULL,
};
/* clang-format on */

static const struct layout *layout_of(const char *name)
{
	const struct layout *const *each = layouts;

	while (*each && strcmp((*each)->name, name))
		each++;
	return *each;
}

bool layout_is_known(const char *name)
{
	return layout_of(name);
}

static int not_read(const struct kernel *before, const char *what,
		    struct fault *fault_out)
{
	fault(fault_out, "cannot read the %s of %s: %s", what,
	      before->directory,
	      errno == EPROTO ? "they are not as in its layout"
			      : strerror(errno));
	return fault_hint(fault_out,
			  "%s up --drop-flows, which takes it over without "
			  "its flows",
			  before->role->name);
}

/* Maps the value of the running generation. */
static const void *value_open(struct part *part, const struct kernel *before,
			      const char *name, size_t size)
{
	int map = takeover_map(before, name, size);
	const void *value = NULL;

	part->all = NULL;
	if (map >= 0) {
		value = part_of(part, map, generation_current(before) * size,
				size, PROT_READ);
		close(map);
	}
	return value;
}

static int generation_convert(const struct layout *layout,
			      const struct kernel *before,
			      struct generation *new)
{
	int map = takeover_map(before, "generations", layout->generation_size);
	__u32 index = generation_current(before);
	void *old = malloc(layout->generation_size);
	int rc = -1;

	if (map >= 0 && old && !bpf_map_lookup_elem(map, &index, old)) {
		layout->generation(old, new);
		rc = 0;
	}
	free(old);
	if (map >= 0)
		close(map);
	return rc;
}

static int services_convert(const struct layout *layout,
			    const struct kernel *before,
			    struct running *running)
{
	struct running_service row = {0}, *new;
	struct part part;
	const char *cells =
		value_open(&part, before, "services", layout->services_size);
	size_t at;

	for (at = 0; cells && at < layout->services_size;
	     at += layout->cell_size) {
		if (!layout->service(cells + at, &row))
			continue;
		new = running_add(running);
		if (!new)
			break;
		*new = row;
		/* Its table is not known, so no slot has what it had. */
		new->service.table_first = 0;
		new->service.table_size = 0;
		new->service.forgets = 0;
		new->service.owners = 0;
	}
	part_close(&part);
	return cells ? 0 : -1;
}

static int backends_convert(const struct layout *layout,
			    const struct kernel *before,
			    struct running *running)
{
	struct part part;
	const void *rows =
		value_open(&part, before, "backends", layout->backends_size);

	if (rows)
		layout->backends(rows, running);
	part_close(&part);
	return rows ? 0 : -1;
}

/* What ran there, without tables. running_free() is due in every case. */
static int layout_running(const struct kernel *before, struct running *running,
			  struct fault *fault_out)
{
	const struct layout *layout = layout_of(takeover_layout(before));

	if (running_begin(running))
		return not_read(before, "services", fault_out);
	if (generation_current(before) == NO_GENERATION)
		return 0;
	if (!layout ||
	    generation_convert(layout, before, &running->generation) ||
	    services_convert(layout, before, running) ||
	    backends_convert(layout, before, running))
		return not_read(before, "services", fault_out);
	running_sort(running);
	return 0;
}

void layout_by_hand(const struct kernel *before)
{
	struct running running;
	struct fault ignored;
	const struct running_service *service;
	char vip[64], address[INET6_ADDRSTRLEN];
	size_t i;

	/* Who cannot be read was refused before. */
	if (layout_running(before, &running, &ignored))
		running.backend_count = 0;
	for (i = 0; i < running.backend_count; i++) {
		const struct backend *backend = running.by_address[i];

		service = running_service_of(&running, backend->service);
		if (!backend->override || !service)
			continue;
		printf("~ backend %s of %s/%s takes back what was set by "
		       "hand\n",
		       addr_text(&backend->address, address),
		       endpoint_text(&service->key.vip, service->key.port, vip),
		       protocol_name(service->key.protocol));
	}
	running_free(&running);
}

int running_before(const struct kernel *kernel, struct running *old,
		   struct fault *fault_out)
{
	__u32 current = generation_current(kernel);

	if (kernel->running) {
		*old = *kernel->running;
	} else if (kernel->before && current == NO_GENERATION) {
		if (layout_running(kernel->before, old, fault_out)) {
			running_free(old);
			return -1;
		}
	} else if (running_read(kernel, current, old, fault_out)) {
		return -1;
	}
	/* Not in a loop, and not while an old flow table is copied. */
	if (!kernel->in_loop && !kernel->replaced_count && !kernel->before)
		unmark_now(kernel, old);
	return 0;
}

/* Zeros, for which memory is taken when they are written. NULL with errno. */
static void *zeros(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Room for a table of as many ways as the map has. */
static int table_reserve(struct flow_table *table, size_t ways)
{
	table->flows_size = ways * sizeof(struct flow);
	table->flows = zeros(table->flows_size);
	table->keys_size = ways * sizeof(struct flow_key);
	table->keys = zeros(table->keys_size);
	if (!table->flows || !table->keys)
		return -1;
	table->ways = ways;
	table->buckets = (__u32)(ways / FLOWS_PER_BUCKET);
	return 0;
}

/* Is it one that goes on: in use, and is its backend there? */
static bool goes_on(const struct running *running, const struct idle *idle,
		    const struct flow *flow)
{
	const struct backend *backend =
		&running->backends[flow->backend % BACKEND_INDEXES];

	return backend->state != BACKEND_ABSENT &&
	       backend->id == (flow->backend & FLOW_BACKEND) &&
	       flow_is_active(idle, flow);
}

/* From two maps, whose values are buckets. */
static void flows_convert(const struct layout *layout, const char *flows,
			  const char *keys, const struct running *running,
			  const struct idle *idle, __u64 since, __u64 now,
			  struct flow_table *table, size_t *left)
{
	struct flow flow;
	size_t i;

	for (i = 0; i < table->ways; i++) {
		layout->flow(flows + i * layout->flow_size, &flow);
		/* Others are not written: most of the table stays untouched. */
		if (!flow.hash || (since && !flow_is_since(&flow, since, now)))
			continue;
		if (goes_on(running, idle, &flow)) {
			table->flows[i] = flow;
			layout->ends(keys + i * layout->key_size,
				     &table->keys[i]);
		} else {
			*left += flow_is_remembered(&flow) &&
				 flow_is_active(idle, &flow);
		}
	}
}

/* Maps both and converts them; closes them. Returns 0, or -1 with errno. */
static int maps_convert(const struct layout *layout, int flows, int keys,
			const struct running *running, __u64 since, __u64 now,
			struct flow_table *table, size_t *left)
{
	const struct idle idle = idle_of(now, running->generation.udp_idle);
	size_t flows_size = 0, keys_size = 0;
	void *from = map_open(flows, PROT_READ, &flows_size);
	void *ends = map_open(keys, PROT_READ, &keys_size);
	size_t ways = (size_t)map_entries(flows) * FLOWS_PER_BUCKET;
	int rc = -1;

	if (from && ends && ways * layout->flow_size <= flows_size &&
	    ways * layout->key_size <= keys_size)
		rc = table_reserve(table, ways);
	if (!rc)
		flows_convert(layout, from, ends, running, &idle, since, now,
			      table, left);
	if (from)
		munmap(from, flows_size);
	if (ends)
		munmap(ends, keys_size);
	if (flows >= 0)
		close(flows);
	if (keys >= 0)
		close(keys);
	return rc;
}

int layout_flows(const struct kernel *before, __u64 since, __u64 now,
		 struct flow_table *table, size_t *left,
		 struct fault *fault_out)
{
	const struct layout *layout = layout_of(takeover_layout(before));
	struct running running;
	int rc;

	*left = 0;
	memset(table, 0, sizeof(*table));
	rc = layout_running(before, &running, fault_out);
	if (!rc && running.backend_count) {
		rc = maps_convert(
			layout,
			takeover_map(before, "flows",
				     layout->flow_size * FLOWS_PER_BUCKET),
			takeover_map(before, "flow_keys",
				     layout->key_size * FLOWS_PER_BUCKET),
			&running, since, now, table, left);
		if (rc)
			not_read(before, "flows", fault_out);
	}
	running_free(&running);
	return rc;
}

/* The last id of a service that was given there. 0, or -1 with errno. */
static int service_id_read(const struct kernel *before, __u32 *id)
{
	const struct layout *layout = layout_of(takeover_layout(before));
	int map, rc = -1;

	if (!layout || !layout->service_id_key) {
		*id = control_get(before, CONTROL_SERVICE_ID);
		return 0;
	}
	map = takeover_map(before, "control", sizeof(*id));
	if (map >= 0) {
		rc = bpf_map_lookup_elem(map, &layout->service_id_key, id);
		close(map);
	}
	return rc;
}

int layout_secrets(const struct kernel *before, const struct kernel *kernel,
		   struct fault *fault_out)
{
	static const struct secrets none;
	struct secrets old, own;
	bool is_new, is_same;
	__u32 id;
	int rc;

	if (service_id_read(before, &id))
		return not_read(before, "control", fault_out);
	if (secrets_read(before, &old) || secrets_read(kernel, &own))
		return not_read(before, "secrets", fault_out);
	is_new = !memcmp(&own, &none, sizeof(none));
	is_same = !memcmp(&own, &old, sizeof(old));
	rc = is_new ? secrets_write(kernel, &old) : 0;
	rc = rc || kernel->was_up ? rc
				  : control_set(kernel, CONTROL_SERVICE_ID, id);
	memset(&old, 0, sizeof(old));
	memset(&own, 0, sizeof(own));
	if (rc)
		return not_read(before, "secrets", fault_out);
	if (is_new || is_same)
		return 0;
	fault(fault_out,
	      "cannot take over the flows of %s: an `up --drop-flows` has "
	      "begun to take it over without them",
	      before->directory);
	return fault_hint(fault_out, "%s up --drop-flows, which ends that",
			  before->role->name);
}
