// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout_v5.c - what the next layout needs to read today's
 *
 * `relayout` adds it to its copy of this tree. There struct flow is another;
 * all else has not changed.
 */
#include <netinet/in.h>
#include <string.h>

#include "LoadBalancer/generation/layouts.h"

struct v5_flow {
	__u64 hash;
	__u32 backend;
	__u32 seen;
};

static void generation_of(const void *old, struct generation *new)
{
	memcpy(new, old, sizeof(*new));
}

static bool service_of(const void *cell, struct running_service *new)
{
	const struct service_cell *from = cell;

	if (!from->used || !from->key.protocol ||
	    from->key.protocol == IPPROTO_FRAGMENT)
		return false;
	new->key = from->key;
	new->service = from->service;
	new->by_address = !from->port_mask;
	return true;
}

static void backends_of(const void *rows, struct running *new)
{
	const struct backend_rows *from = rows;

	memcpy(new->backends, from->at, sizeof(from->at));
	memcpy(new->until, from->until, sizeof(from->until));
	memcpy(new->since, from->since, sizeof(from->since));
	memcpy(new->service_since, from->service_since,
	       sizeof(from->service_since));
}

static void flow_of(const void *way, struct flow *new)
{
	const struct v5_flow *from = way;

	new->hash = from->hash;
	new->backend = from->backend;
	new->seen = from->seen;
}

static void ends_of(const void *ends, struct flow_key *new)
{
	memcpy(new, ends, sizeof(*new));
}

const struct layout layout_v5 = {
	.name = "v5",
	.generation_size = sizeof(struct generation),
	.generation = generation_of,
	.services_size = sizeof(struct service_cells),
	.cell_size = sizeof(struct service_cell),
	.service = service_of,
	.backends_size = sizeof(struct backend_rows),
	.backends = backends_of,
	.flow_size = sizeof(struct v5_flow),
	.key_size = sizeof(struct flow_key),
	.flow = flow_of,
	.ends = ends_of,
};
