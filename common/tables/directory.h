/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * directory.h - the services of a generation, each in one of its two places
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/core/abi.h"

#define DIRECTORY_SEEDS 64

/*
 * Fills all DIRECTORY_PLACES of `places`; of entries with one key the first
 * counts. Sets the seed of the hash under which they all have room. Returns 0,
 * or -1 where there is no such seed: the chance of it is below 2^-64.
 */
int directory_fill(struct directory_entry *places,
		   const struct directory_entry *entries, size_t count,
		   __u32 *seed);
