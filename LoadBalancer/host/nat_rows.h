/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_rows.h - the table of translated flows: its size, and what is in it
 */
#pragma once

#include <netinet/in.h> /* before those of the kernel */

#include "common/core/nat_table.h"
#include "common/kernel/kernel.h"

/* As it is now; packets go on changing it. */
struct nat_table {
	const struct nat_row *rows;
	__u32 count;
	size_t size; /* bytes */
	struct nat_source sources[NAT_SOURCES];
	struct nat_times times; /* of the running generation */
	__u32 now;		/* low half of jiffies */
};
/*
 * Returns 0; or -1: there is none, or it cannot be read. Close it after 0 only.
 */
int nat_table_open(const struct kernel *kernel, struct nat_table *table);
void nat_table_close(struct nat_table *table);

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
