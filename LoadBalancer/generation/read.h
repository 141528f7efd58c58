/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * read.h - read a generation of xdp_lbr from the kernel
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "common/config/endpoint.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/abi_workers.h"
#include "common/kernel/generation.h"

/* A file's services, and as many that were removed from it. */
#define MOST_SERVICES (2 * MAX_SERVICES)
struct running_service {
	struct service_key key;
	struct service service; /* .removing: see there */
	bool by_address;
};

struct running {
	struct generation generation;
	struct running_service *services; /* by key; without the VIPs' marks */
	struct running_service **by_id;
	size_t service_count;
	struct backend *backends; /* BACKEND_INDEXES of them, by index */
	__u64 *until;		  /* as many; of those that are being removed */
	__u64 *since;		  /* as many; see struct backend_rows */
	__u64 *service_since;	  /* MAX_SERVICES, by service.rr_turn */
	__u64 *table_inputs;	  /* the same; see struct backend_rows */
	__u64 *moved;		  /* as many; see struct backend_rows */
	struct backend **by_address; /* existing ones; by service, address */
	size_t backend_count;	     /* of existing ones */
};

static inline struct service_key
service_key_of(const struct config_service *service)
{
	return (struct service_key){service->vip, service->port,
				    service->protocol, 0};
}

/* What a cell says; false: it is empty, or the mark of a VIP. */
static inline bool running_cell(const struct service_cell *cell,
				struct running_service *row)
{
	if (!cell->used || !cell->key.protocol ||
	    cell->key.protocol == IPPROTO_FRAGMENT ||
	    cell->key.protocol == PROTOCOL_RELEASE)
		return false;
	*row = (struct running_service){.key = cell->key,
					.service = cell->service,
					.by_address = !cell->port_mask};
	return true;
}

/* BACKEND_INDEXES backends, until and since; MAX_SERVICES service_since. */
static inline void running_rows(struct running *running,
				const struct backend *backends,
				const __u64 *until, const __u64 *since,
				const __u64 *service_since)
{
	memcpy(running->backends, backends,
	       BACKEND_INDEXES * sizeof(*backends));
	memcpy(running->until, until, BACKEND_INDEXES * sizeof(*until));
	memcpy(running->since, since, BACKEND_INDEXES * sizeof(*since));
	memcpy(running->service_since, service_since,
	       MAX_SERVICES * sizeof(*service_since));
}

/*
 * Reads the generation at `index`; NO_GENERATION: an empty one. Returns 0, or
 * -1 with a fault.
 */
int running_read(const struct kernel *kernel, __u32 index,
		 struct running *running, struct fault *fault);
void running_free(struct running *running);

/*
 * The same from elsewhere: begin with nothing (0, or -1 with errno), fill in
 * the backends and add services (NULL: there are MOST_SERVICES), then sort.
 * running_free() is due in every case.
 */
int running_begin(struct running *running);
struct running_service *running_add(struct running *running);
void running_sort(struct running *running);

/* NULL if it is not there. */
const struct running_service *running_service(const struct running *running,
					      const struct service_key *key);
/* The file's. */
const struct running_service *
running_service_for(const struct running *running,
		    const struct config_service *service);
const struct running_service *running_service_of(const struct running *running,
						 __u32 id);
/*
 * Until when a service that is being removed has flows, in jiffies. 0: it has
 * no end.
 */
__u64 running_until(const struct running *running,
		    const struct running_service *service);
struct backend *running_backend(const struct running *running, __u32 service,
				const struct addr *address);
/* The first backend of a service in by_address, and the end of them. */
void running_range(const struct running *running, __u32 service, size_t *first,
		   size_t *end);

/*
 * What was sent to each existing backend, over all CPUs, at its id modulo
 * BACKEND_INDEXES; to be freed. NULL: no memory.
 */
struct backend_count *running_counts(const struct kernel *kernel,
				     const struct running *running);
