/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * waiting.bpf.h - how a packet that waits for a MAC address is marked
 * (common/core/waiting.h)
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/core/mark.h"
#include "common/core/verifier.h"
#include "common/core/waiting.h"

/*
 * This host's secret. Marks are hashes of longer messages under the same key,
 * so it is none of them. Verified on its own.
 */
SEPARATE __u64 waiting_secret(void)
{
	__u32 zero = 0;
	struct secrets *secret = bpf_map_lookup_elem(&secrets, &zero);

	return secret ? siphash_tail(secret->mark, 0, 0, 0, 0, 0) : 0;
}
