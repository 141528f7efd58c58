/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mark.bpf.h - this host's marks (common/core/mark.h)
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/core/mark.h"
#include "common/core/verifier.h"

/* mark_hash() with this host's secret; verified on its own. */
SEPARATE __u64 own_mark(__u64 high, __u64 low, __u64 flow, __u32 period)
{
	__u32 zero = 0;
	struct secrets *secret = bpf_map_lookup_elem(&secrets, &zero);

	return secret ? mark_hash(secret->mark, high, low, flow, period) : 0;
}

INLINE __u64 own_mark_to(const struct addr *to, __u64 flow, __u32 period)
{
	return own_mark(mark_half(to, 0), mark_half(to, 1), flow, period);
}
