/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * counts.bpf.h - packets that leave for another reason than nearly all, by
 * service
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"

/* `by` below 0 takes back what was counted; without a row there is nothing. */
INLINE void count_service_by(__u32 service, __u32 reason, __s64 by)
{
	struct service_reason key = {service, reason};
	__u64 *counter = bpf_map_lookup_elem(&service_reasons, &key);

	if (counter)
		*counter += by;
	else if (by > 0)
		bpf_map_update_elem(&service_reasons, &key, &by, BPF_NOEXIST);
}
