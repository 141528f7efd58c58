/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_maps.bpf.h - the maps of lbr_nat, beside those that it shares with
 * xdp_lbr
 */
#pragma once

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/core/abi_nat.h"
#include "common/core/nat_table.h"

/* Their sizes are set before the load: `nat-table-size`. */
const volatile __u32 nat_row_count = NAT_LEAST_ROWS; /* a power of two */
const volatile __u32 nat_bucket_count = NAT_LEAST_ROWS / 4;

MAP_MAPPED(nat_rows, __u32, struct nat_row, NAT_LEAST_ROWS);
MAP(nat_index, ARRAY, __u32, struct nat_bucket, NAT_LEAST_ROWS / 4);

/*
 * Sources, those of IPv4 from 0 on, those of IPv6 from NAT_SOURCES / 2 on, and
 * how many there are of each; and the index of each by its address.
 */
MAP(nat_sources, ARRAY, __u32, struct nat_source, NAT_SOURCES);
MAP(nat_addresses, HASH, struct addr, __u32, NAT_SOURCES);

/* What is being translated: [0]. */
#if DRY_RUN
MAP(nat_handed, ARRAY, __u32, struct nat_handed, 1);
#else
MAP(nat_handed, PERCPU_ARRAY, __u32, struct nat_handed, 1);
#endif

INLINE struct nat_handed *nat_handed_over(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&nat_handed, &zero);
}

/* For common/core/nat_begin.h. */
INLINE struct nat_row *nat_row_at(__u32 number)
{
	return bpf_map_lookup_elem(&nat_rows, &number);
}

INLINE struct nat_bucket *nat_bucket_at(__u32 number)
{
	return bpf_map_lookup_elem(&nat_index, &number);
}

INLINE const struct nat_source *nat_source_at(__u32 index)
{
	return bpf_map_lookup_elem(&nat_sources, &index);
}
