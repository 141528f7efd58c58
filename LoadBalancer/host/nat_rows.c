// SPDX-License-Identifier: GPL-2.0-only
/* nat_rows.c - see nat_rows.h */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/nat_rows.h"
#include "common/core/nat_table.h"
#include "common/kernel/generation.h"

#define BATCH 4096 /* rows that are read at once: 256 KiB */

__u32 nat_rows_wanted(const struct config *config)
{
	__u32 rows = NAT_LEAST_ROWS;

	while (rows < config->nat_table_size && rows < 1U << 30)
		rows *= 2;
	return rows;
}

/* When a flow ends, as the running generation says; and the time. */
static int times_read(const struct kernel *kernel, struct nat_times *times,
		      __u64 *now)
{
	/* By its pins: the object that is about to be loaded knows neither. */
	struct kernel pinned = *kernel;
	struct generation running;

	pinned.object = NULL;
	if (generation_read(&pinned, generation_current(kernel), &running) ||
	    jiffies_now(&pinned, now))
		return -1;
	times->second = running.insert_window;
	times->udp_idle = running.udp_idle;
	return 0;
}

/* How many flows of the table are open, or -1. */
static long flows_count(int map, const struct nat_times *times, __u32 now)
{
	__u32 *keys = calloc(BATCH, sizeof(*keys)), at, count, i;
	struct nat_row *rows = calloc(BATCH, sizeof(*rows));
	void *from = NULL;
	long flows = 0;
	int rc = 0;

	if (!keys || !rows)
		flows = -1;
	/* ENOENT: these were the last. */
	while (flows >= 0 && !rc) {
		count = BATCH;
		rc = bpf_map_lookup_batch(map, from, &at, keys, rows, &count,
					  NULL);
		if (rc && errno != ENOENT) {
			flows = -1;
			break;
		}
		from = &at;
		for (i = 0; i < count; i++)
			flows += nat_lives(nat_state_of(&rows[i]), times, now);
	}
	free(keys);
	free(rows);
	return flows;
}

static int up_refuse(const struct kernel *kernel, const struct config *config,
		     int map, __u32 running, struct fault *fault_out)
{
	struct nat_times times;
	long flows = -1;
	__u64 now;

	if (kernel->drop_flows)
		return 0;
	if (!times_read(kernel, &times, &now))
		flows = flows_count(map, &times, (__u32)now);
	if (!flows)
		return 0;
	if (flows < 0)
		fault(fault_out,
		      "cannot change nat-table-size from %u to %u: cannot read "
		      "how many flows would end",
		      running, nat_rows_wanted(config));
	else
		fault(fault_out,
		      "cannot change nat-table-size from %u to %u: %ld flow%s "
		      "by nat would end",
		      running, nat_rows_wanted(config), flows,
		      flows == 1 ? "" : "s");
	return fault_hint(fault_out, "%s up --drop-flows -c %s",
			  kernel->role->name, config->path);
}

int nat_rows_refuse(const struct kernel *kernel, const struct config *config,
		    struct fault *fault_out)
{
	int map = kernel_pinned(kernel, "nat_rows"), rc = 0;
	__u32 running = map_entries(map);

	if (map < 0)
		return 0;
	if (running != nat_rows_wanted(config)) {
		if (kernel->object) {
			rc = up_refuse(kernel, config, map, running, fault_out);
		} else {
			fault(fault_out,
			      "cannot apply %s: nat-table-size is %u there and "
			      "%u in the kernel",
			      config->path, config->nat_table_size, running);
			rc = fault_hint(fault_out, "%s up -c %s",
					kernel->role->name, config->path);
		}
	}
	close(map);
	return rc;
}
