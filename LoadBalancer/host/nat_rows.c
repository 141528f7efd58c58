// SPDX-License-Identifier: GPL-2.0-only
/* nat_rows.c - see nat_rows.h */
#include <bpf/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "LoadBalancer/host/nat_rows.h"
#include "common/kernel/generation.h"

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

static int sources_read(const struct kernel *kernel, struct nat_table *table)
{
	int map = kernel_pinned(kernel, "nat_sources"), rc = -1;
	__u32 i;

	for (i = 0; map >= 0 && i < NAT_SOURCES; i++) {
		rc = bpf_map_lookup_elem(map, &i, &table->sources[i]);
		if (rc)
			break;
	}
	if (map >= 0)
		close(map);
	return rc;
}

int nat_table_open(const struct kernel *kernel, struct nat_table *table)
{
	int map = kernel_pinned(kernel, "nat_rows");
	__u64 now;

	memset(table, 0, sizeof(*table));
	if (map < 0)
		return -1;
	table->rows = map_open(map, PROT_READ, &table->size);
	table->count = map_entries(map);
	close(map);
	if (!table->rows)
		return -1;
	if (!times_read(kernel, &table->times, &now) &&
	    !sources_read(kernel, table)) {
		table->now = (__u32)now;
		return 0;
	}
	nat_table_close(table);
	return -1;
}

void nat_table_close(struct nat_table *table)
{
	munmap((void *)table->rows, table->size);
}

/* How many flows of the table are open, or -1. */
static long flows_count(const struct kernel *kernel)
{
	struct nat_table table;
	long flows = 0;
	__u32 i;

	if (nat_table_open(kernel, &table))
		return -1;
	for (i = 0; i < table.count; i++)
		flows += nat_lives(nat_state_of(&table.rows[i]), &table.times,
				   table.now);
	nat_table_close(&table);
	return flows;
}

static int up_refuse(const struct kernel *kernel, const struct config *config,
		     __u32 running, struct fault *fault_out)
{
	long flows;

	if (kernel->drop_flows)
		return 0;
	flows = flows_count(kernel);
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
			rc = up_refuse(kernel, config, running, fault_out);
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
