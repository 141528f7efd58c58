/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_rows.h - the size of the table of translated flows
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * The table's rows: a power of two, at least the file's nat-table-size and
 * NAT_LEAST_ROWS.
 */
__u32 nat_rows_wanted(const struct config *config);
/*
 * A table of another size has none of the flows of the one that is pinned:
 * where a flow is depends on the size. So `apply` refuses another size, and
 * `up` does if flows are open, but for kernel->drop_flows. Returns 0, or -1
 * with a fault.
 */
int nat_rows_refuse(const struct kernel *kernel, const struct config *config,
		    struct fault *fault);
