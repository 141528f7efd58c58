// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout_v5.c - what the next layout needs to read today's
 *
 * `relayout` adds it to its copy of this tree. There struct flow is another;
 * all else has not changed.
 */
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
	return running_cell(cell, new);
}

static void backends_of(const void *rows, struct running *new)
{
	const struct backend_rows *from = rows;

	running_rows(new, from->at, from->until, from->since,
		     from->service_since);
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
