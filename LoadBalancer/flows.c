// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows.c - the flow table's size, and its entries across a change of it
 *
 * A map cannot grow. An `up` with another size makes a new table and copies
 * the flows twice: once before the new program runs, and again after it does,
 * for those that the old program added or changed meanwhile. What the old table
 * says of a flow is right: the new program can know less, never more.
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

/* Copies from one table into another. Their number, or -1. */
static long copy(int from, int to, bool again)
{
	struct flow_key *keys = calloc(BATCH, sizeof(*keys));
	struct flow *values = calloc(BATCH, sizeof(*values));
	__u32 count, i, batch, *at = NULL;
	long copied = keys && values ? 0 : -1;
	int end = 0;

	while (copied >= 0 && !end) {
		count = BATCH;
		end = bpf_map_lookup_batch(from, at, &batch, keys, values,
					   &count, NULL);
		if (end && errno != ENOENT)
			copied = -1;
		for (i = 0; copied >= 0 && i < count; i++)
			bpf_map_update_elem(to, &keys[i], &values[i],
					    again ? BPF_ANY : BPF_NOEXIST);
		copied += copied < 0 ? 0 : count;
		at = &batch;
	}
	free(keys);
	free(values);
	return copied;
}

int lbr_carry_over(struct kernel *kernel, bool again, struct fault *fault_out)
{
	int to = kernel_map(kernel, "flows");
	__u32 room = size_running(kernel);
	long copied = 0;

	if (kernel->old_flows >= 0)
		copied = copy(kernel->old_flows, to, again);
	if (to >= 0)
		close(to);
	if (copied < 0)
		return fault(fault_out, "cannot copy the flows: %s",
			     strerror(errno));
	if (again || copied <= room)
		return 0;
	fault(fault_out,
	      "cannot make the flow table smaller: %ld flows are remembered, "
	      "and flow-table-size is %u",
	      copied, room);
	return fault_hint(fault_out, "a flow-table-size of %ld or more",
			  copied);
}
