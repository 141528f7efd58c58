/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * order.h - fill a service's table: which backend each slot belongs to
 *
 * By the `order` in the scheduler's row, see scheduler.h.
 */
#pragma once

#include <stddef.h>

#include "common/config/config.h"
#include "common/core/abi_services.h"

struct table_backend {
	struct addr address;
	__u16 weight; /* at least 1 */
	__u16 index;  /* what the table holds for it */
};

/*
 * The backends of a service that take new flows; `indices`: of all its
 * backends, in `backends`. To be freed; NULL without memory.
 */
struct table_backend *order_backends(const struct config_service *service,
				     const __u16 *indices,
				     const struct backend *backends,
				     size_t *count);

/* How many of at most `size` slots the table gets; `count` at least 1. */
__u32 order_slots(__u8 scheduler, __u32 size,
		  const struct table_backend *backends, size_t count);
/*
 * Fills table[0..slots) with the `index` of each slot's backend. `slots`: from
 * order_slots(). Returns 0, or -1 without memory.
 */
int order_fill(__u8 scheduler, __u16 *table, __u32 slots,
	       const struct table_backend *backends, size_t count);
