/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * maglev.h - by a hash of the flow
 */
#pragma once

#include "common/core/hash.h"

INLINE __u32 maglev_slot(const struct scheduling *from, __u32 size)
{
	return hash_slot(from->hash >> 32, size);
}
