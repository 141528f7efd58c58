// SPDX-License-Identifier: GPL-2.0-only
/*
 * counters.c - assign the counters of `restore_counts` to rows
 *
 * A row of `restores` keeps its counter from one generation to the next, as
 * long as it means the same service. Another row gets one that no row of the
 * running generation has.
 */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "common/core/abi_services.h"

int counters_open(struct counters *counters, const struct kernel *kernel,
		  const struct restore_row *rows, int count)
{
	size_t cpus = (size_t)kernel_cpus();
	int i;

	*counters = (struct counters){
		.map = kernel_map(kernel, "restore_counts"),
		.rows = rows,
		.count = count,
		.used = calloc(MAX_COUNTERS, sizeof(*counters->used)),
		.zeros = calloc(cpus, sizeof(*counters->zeros)),
		.next = 1,
	};
	if (!counters->used || !counters->zeros)
		return -1;
	for (i = 0; i < count; i++) {
		if (rows[i].restore.counter < MAX_COUNTERS)
			counters->used[rows[i].restore.counter] = true;
	}
	return 0;
}

void counters_close(struct counters *counters)
{
	if (counters->map >= 0)
		close(counters->map);
	free(counters->used);
	free(counters->zeros);
}

__u32 counter_of(struct counters *counters, const struct restore_key *key,
		 const struct addr *vip)
{
	const struct restore_row *was =
		restores_find(counters->rows, counters->count, key);

	if (was && was->restore.counter &&
	    !memcmp(&was->restore.vip, vip, sizeof(*vip)))
		return was->restore.counter;
	while (counters->next < MAX_COUNTERS && counters->used[counters->next])
		counters->next++;
	/* A program of an older build counts no rows. */
	if (counters->next == MAX_COUNTERS ||
	    bpf_map_update_elem(counters->map, &counters->next, counters->zeros,
				BPF_ANY))
		return 0;
	return counters->next++;
}

json_t *counter_read(int map, __u32 counter)
{
	int cpus = kernel_cpus(), cpu;
	__u64 *each = calloc((size_t)cpus, sizeof(*each)), sum = 0;
	bool is_there =
		each && counter && !bpf_map_lookup_elem(map, &counter, each);

	for (cpu = 0; is_there && cpu < cpus; cpu++)
		sum += each[cpu];
	free(each);
	return is_there ? json_integer((json_int_t)sum) : json_null();
}
