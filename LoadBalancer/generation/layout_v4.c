// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout_v4.c - layout v4, of November 2026: before second chance
 *
 * Services and generations were smaller, and each generation had the tables of
 * its services. `flows` and `flow_keys` have not changed.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/generation/layouts.h"
#include "common/base/elapsed.h"
#include "common/core/age.h"

struct v4_generation {
	__u64 number;
	__u64 grace_until;
	__u64 udp_idle;
	__u8 rest[616];
};
_Static_assert(sizeof(struct v4_generation) == 640, "v4: generation");

struct v4_service {
	__u32 id;
	__u32 table_first;
	__u32 table_size;
	__u8 scheduler;
	struct method method;
	__u16 turns;
	__u16 leaving;
};
_Static_assert(sizeof(struct v4_service) == 20, "v4: service");

#define V4_PLACES 65536
struct v4_entry {
	struct service_key key;
	struct v4_service service;
	__u16 port_mask;
	__u8 protocol;
	__u8 used;
};
_Static_assert(sizeof(struct v4_entry) == 44, "v4: directory_entry");

struct v4_backend {
	struct addr address;
	__u32 id;
	__u32 service;
	__u16 weight;
	__u8 state;
	__u8 override;
	__u8 finding;
	__u8 drain;
	__u16 mtu;
};

#define V4_BACKENDS 16384
#define V4_SERVICES 4096
struct v4_backends {
	struct v4_backend at[V4_BACKENDS];
	__u64 until[V4_BACKENDS];
	__u64 since[V4_BACKENDS];
	__u64 service_since[V4_SERVICES];
};
_Static_assert(sizeof(struct v4_backend) == sizeof(struct backend) &&
		       offsetof(struct v4_backend, state) ==
			       offsetof(struct backend, state) &&
		       V4_BACKENDS == BACKEND_INDEXES &&
		       V4_SERVICES == MAX_SERVICES,
	       "v4: backend_rows");

/* `control` had a key for each word, and values of one word. */
#define V4_CONTROL_SERVICE_ID 2

static void generation_of(const void *old, struct generation *new)
{
	const struct v4_generation *from = old;

	new->number = from->number;
	new->grace_until = from->grace_until;
	new->udp_idle = from->udp_idle;
}

static bool service_of(const void *cell, struct running_service *new)
{
	const struct v4_entry *from = cell;

	if (!from->used || !from->key.protocol ||
	    from->key.protocol == IPPROTO_FRAGMENT)
		return false;
	new->key = from->key;
	new->by_address = !from->port_mask;
	new->service = (struct service){
		.id = from->service.id,
		.scheduler = from->service.scheduler,
		.method = from->service.method,
		.rr_turn = from->service.turns,
		.removing = from->service.leaving,
	};
	return true;
}

/* v4 has seconds of Unix time. */
static void events_of(__u64 *times, size_t count)
{
	__u64 now = event_now(), today = (__u64)time(NULL);
	size_t i;

	for (i = 0; i < count; i++) {
		if (!times[i])
			continue;
		times[i] = age(now, 1000 * age(today, times[i])) ?: 1;
	}
}

static void backends_of(const void *rows, struct running *new)
{
	const struct v4_backends *from = rows;
	size_t i;

	/* The same up to `state`. */
	running_rows(new, (const struct backend *)from->at, from->until,
		     from->since, from->service_since);
	for (i = 0; i < V4_BACKENDS; i++) {
		new->backends[i].override = from->at[i].override & 3;
		new->backends[i].finding = from->at[i].finding & 7;
		new->backends[i].drain = from->at[i].drain & 1;
		new->backends[i].port = 0;
	}
	events_of(new->since, V4_BACKENDS);
	events_of(new->service_since, V4_SERVICES);
}

static void flow_of(const void *way, struct flow *new)
{
	memcpy(new, way, sizeof(*new));
}

static void ends_of(const void *ends, struct flow_key *new)
{
	memcpy(new, ends, sizeof(*new));
}
_Static_assert(sizeof(struct flow) == 16 && sizeof(struct flow_key) == 24,
	       "v4: flow, flow_key");

const struct layout layout_v4 = {
	.name = "v4",
	.generation_size = sizeof(struct v4_generation),
	.generation = generation_of,
	.services_size = sizeof(struct v4_entry) * V4_PLACES,
	.cell_size = sizeof(struct v4_entry),
	.service = service_of,
	.backends_size = sizeof(struct v4_backends),
	.backends = backends_of,
	.flow_size = sizeof(struct flow),
	.key_size = sizeof(struct flow_key),
	.flow = flow_of,
	.ends = ends_of,
	.service_id_key = V4_CONTROL_SERVICE_ID,
};
