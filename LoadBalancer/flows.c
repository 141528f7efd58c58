// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows.c - the flow table's size, and its entries across a change of it
 *
 * A map cannot grow. An `up` with another size makes a new table and copies
 * the flows twice: once before the new program runs, and again after it does,
 * for those that the old program added meanwhile. The program's own entries
 * are never overwritten.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/lbr.h"

#define BATCH 4096

static __u32 size_running(const struct kernel *kernel)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int fd = kernel_map(kernel, "flows");

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		info.max_entries = 0;
	close(fd);
	return info.max_entries;
}

int lbr_prepare(struct kernel *kernel, const struct config *config,
		struct fault *fault_out)
{
	if (kernel->object)
		return kernel_resize(kernel, "flows", config->flow_table_size,
				     fault_out);
	/* apply: no program is loaded, so no map can be replaced. */
	if (size_running(kernel) == config->flow_table_size)
		return 0;
	fault(fault_out,
	      "cannot apply %s: flow-table-size is %u there and %u in the "
	      "kernel",
	      config->path, config->flow_table_size, size_running(kernel));
	return fault_hint(fault_out, "%s up -c %s (it copies the flows)",
			  kernel->role->name, config->path);
}

int lbr_carry_over(struct kernel *kernel, struct fault *fault_out)
{
	struct flow_key *keys = calloc(BATCH, sizeof(*keys));
	struct flow *values = calloc(BATCH, sizeof(*values));
	int to = kernel_map(kernel, "flows"), rc = 0;
	__u32 count, i, batch, *from = NULL;

	if (kernel->old_flows < 0)
		goto out;
	if (!keys || !values || to < 0)
		rc = fault(fault_out, "cannot copy the flows: %s",
			   strerror(errno));
	while (!rc) {
		int end;

		count = BATCH;
		end = bpf_map_lookup_batch(kernel->old_flows, from, &batch,
					   keys, values, &count, NULL);
		if (end && errno != ENOENT)
			rc = fault(fault_out, "cannot copy the flows: %s",
				   strerror(errno));
		for (i = 0; !rc && i < count; i++)
			bpf_map_update_elem(to, &keys[i], &values[i],
					    BPF_NOEXIST);
		if (end)
			break;
		from = &batch;
	}
out:
	if (to >= 0)
		close(to);
	free(keys);
	free(values);
	return rc;
}
