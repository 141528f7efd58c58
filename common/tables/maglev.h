/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maglev.h - fill a service's table: which backend each slot belongs to
 */
#pragma once

#include "common/tables/order.h"

/* As order_slots(): all slots. */
__u32 maglev_slots(__u32 size, const struct table_backend *backends,
		   size_t count);
/*
 * Fills table[0..size) with the `index` of each slot's backend. `size` is a
 * prime, `count` at least 1. Returns 0, or -1 without memory.
 */
int maglev_fill(__u16 *table, __u32 size, const struct table_backend *backends,
		size_t count);
