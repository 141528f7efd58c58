/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * random.h - a random slot: by weight, because the table is
 */
#pragma once

#include "common/core/hash.h"

INLINE __u32 random_slot(const struct scheduling *from, __u32 size)
{
	return hash_slot(from->chance, size);
}
