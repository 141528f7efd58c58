/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <stddef.h>

/*
 * Makes a hash map hold exactly these `count` rows; keys of at most 16 bytes.
 * Programs read it meanwhile, so new rows are added first and old ones removed
 * last; if there is no room for both, old ones go before the last new ones.
 * Closes `map`. Returns 0, or -1 with errno.
 */
int map_replace(int map, const void *keys, size_t key_size, const void *values,
		size_t value_size, int count);
