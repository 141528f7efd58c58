/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * each.h - a table with one slot for each backend, whatever its weight
 *
 * The backends stand by address: so the table is a function of their set.
 */
#pragma once

#include <stddef.h>

#include "common/tables/order.h"

__u32 each_slots(__u32 size, const struct table_backend *backends,
		 size_t count);
/* Returns 0, or -1 if there is no memory. `slots`: of each_slots(). */
int each_fill(__u16 *table, __u32 slots, const struct table_backend *backends,
	      size_t count);
