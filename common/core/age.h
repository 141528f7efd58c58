/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * age.h - how long ago something was seen, in jiffies
 *
 * What is read may have been written after `now` was: by another CPU a tick
 * later, or by packets while the tool reads a table. Its age is then 0. An
 * unsigned difference would make the youngest entry the oldest.
 */
#pragma once

#include <linux/types.h>

#include "common/core/inline.h"
#include "common/core/verifier.h"

INLINE __u64 age(__u64 now, __u64 seen)
{
	__s64 distance = (__s64)(now - seen);

	return distance > 0 ? (__u64)distance : 0;
}

/*
 * The same if only the low half of jiffies is stored, which wraps after 2^32
 * ticks (50 days at 1000 Hz, 497 at 100 Hz). Not half of the distances may
 * count as ahead of `now`: a flow that was silent for 25 days would then be the
 * youngest of its bucket for the next 25. A tool that was stopped between
 * reading `now` and the entry may be hours behind, not more: AGE_AHEAD is 4.6
 * hours at 1000 Hz. So any silence shorter than 2^32 - AGE_AHEAD has its true
 * age; a longer one counts as a short one, or as none.
 */
#define AGE_AHEAD (1U << 24)
INLINE __u32 age_low(__u32 now, __u32 seen)
{
	__u32 distance = now - seen;

	return either(is_less(-AGE_AHEAD, distance), 0, distance);
}

/* The jiffies until then; 0: it is over. */
INLINE __u64 jiffies_left(__u64 now, __u64 until)
{
	return age(until, now);
}
