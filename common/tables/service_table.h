/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * service_table.h - build a generation's table of services
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/core/abi.h"
#include "common/core/abi_services.h"

#define DIRECTORY_SEEDS 64

/*
 * Fills in all SERVICE_CELLS of `cells`; of entries with the same key the
 * first counts. Sets a hash seed with which all have room. Returns 0, or -1 if
 * there is none: the chance of that is below 2^-64.
 */
int service_table_fill(struct service_cell *cells,
		       const struct service_cell *entries, size_t count,
		       __u32 *seed);
