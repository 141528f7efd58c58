/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * members.h - the backends of a service, as its table is computed from them
 *
 * A table is first computed of the members' numbers, which go by address. So
 * all services with the same backends and weights have one such table, whatever
 * indexes their backends have.
 */
#pragma once

#include "LoadBalancer/generation/build.h"
#include "common/core/abi_services.h"
#include "common/tables/order.h"

struct member {
	struct addr address;
	__u16 weight;
	__u16 before; /* by the file: see common/config/transition.h */
	__u16 after;
	__u8 is_active;
	__u8 is_gone;	    /* its flows are selected anew */
	__u8 is_overridden; /* the weight */
	__u32 id;	    /* struct backend.id */
};

#define DIGEST 32
struct members {
	const struct service *service;
	struct member *at; /* by address */
	size_t count;
	bool stand;	   /* deputies: candidates_stand() */
	__u8 pool[DIGEST]; /* of what the table of numbers is computed from */
	__u64 inputs;	   /* the same of the table, of indexes */
};

/*
 * Those whose state or weight matters: of a service that remembers its flows,
 * the active ones. Returns 0, or -1 without memory; free(members->at).
 */
int members_of(struct members *members, const struct config_service *from,
	       const struct service *service, const __u16 *indices,
	       const struct backend *backends);
/* The active ones; the index is the number. To be freed; NULL: no memory. */
struct table_backend *members_active(const struct members *members,
				     size_t *count);

/*
 * Computes the table of numbers and, if service->owners, the owners behind it.
 * Of a service that forgets, what a verdict or a hand has taken from its owner
 * is marked with SLOT_MOVED. Returns 0, or -1 without memory.
 */
int members_fill(const struct members *members, __u16 *numbers);
/* deputies.c: of a service that forgets */
int deputies_fill(const struct members *members, __u16 *numbers);
