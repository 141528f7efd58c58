/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sequence.h - fill a service's table with the order in which backends take
 * turns
 */
#pragma once

#include "common/tables/order.h"

/* As order_slots() and order_fill(). */
__u32 sequence_slots(__u32 size, const struct table_backend *backends,
		     size_t count);
int sequence_fill(__u16 *table, __u32 slots,
		  const struct table_backend *backends, size_t count);
