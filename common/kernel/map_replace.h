/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <stddef.h>

/*
 * Makes a hash map hold these `count` rows and no others; keys of at most 16
 * bytes. Programs read it meanwhile: what is to be there is put in first, what
 * is no longer is taken out last. Closes `map`. Returns 0, or -1 with errno.
 */
int map_replace(int map, const void *keys, size_t key_size, const void *values,
		size_t value_size, int count);
