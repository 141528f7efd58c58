/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * round_robin.h - in turn, one slot after the other
 *
 * The order is the table's (common/tables/sequence.c): its slots are a sequence
 * in which every backend has as many turns as its weight says. Each CPU takes
 * turns of its own, so that none waits for another's cache line: what one CPU
 * places is shared exactly, and what n place differs from that by less than n
 * flows a backend. CPU n begins n slots further on, or the first flow of each
 * would go to one backend.
 */
#pragma once

#include "common/core/hash.h"

INLINE __u32 round_robin_slot(const struct scheduling *from, __u32 size)
{
	return (__u32)((from->turn + from->cpu) % size);
}
