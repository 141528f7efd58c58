/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * addresses.h - the addresses of all backends
 */
#pragma once

#include <stddef.h>

#include "common/config/config.h"

/*
 * Each address once, in memory order, however many services have it; to be
 * freed. NULL: no memory.
 */
struct addr *backend_addresses(const struct config *config, size_t *count);
/* Sorts them, and leaves each once. Returns how many. */
size_t addresses_sort(struct addr *addresses, size_t count);
/* The number of addresses that are less than `address`, by memory order. */
size_t addresses_below(const struct addr *addresses, size_t count,
		       const struct addr *address);
