/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maglev.h - a service's table: which backend each slot belongs to
 */
#pragma once

#include <stddef.h>

#include "common/core/abi.h"

struct maglev_backend {
	struct addr address;
	__u16 weight; /* at least 1 */
	__u16 index;  /* what the table is to say for it */
};

/*
 * Fills table[0..size) with the `index` of each slot's backend. `size` is a
 * prime, `count` at least 1. Returns 0, or -1 where memory ran out.
 */
int maglev_fill(__u16 *table, __u32 size, const struct maglev_backend *backends,
		size_t count);
