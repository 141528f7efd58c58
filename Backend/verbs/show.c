// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what runs on the backend, and what it has counted
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "Backend/verbs/verbs.h"
#include "common/base/json.h"
#include "common/cli/report.h"
#include "common/config/endpoint.h"
#include "common/config/method_names.h"
#include "common/kernel/generation.h"

static json_t *row_report(const struct restore_row *row, int counts,
			  __u32 moved)
{
	const struct method *method = &row->restore.method;

	return json_pack(
		"{s:o, s:o, s:s, s:o, s:s, s:o, s:s, s:s, s:b, s:o, s:o}",
		"vip", json_addr(&row->restore.vip), "port",
		json_port(row->key.port), "protocol",
		protocol_name(row->key.protocol), "address",
		json_addr(&row->key.address), "forward", method_name(method),
		"dscp", json_nonzero(method->dscp), "checksum",
		checksum_name(method->checksum), "restore",
		row->restore.at_own ? "tc" : "lo", "permanent",
		!row->restore.until, "packets",
		counter_read(counts, row->restore.counter), "moved-flows",
		row->restore.table_size ? json_integer((json_int_t)moved)
					: json_null());
}

static json_t *restores(const struct kernel *kernel, struct fault *fault_out)
{
	struct restore_row *rows;
	int i, count = restores_read(kernel, generation_current(kernel), &rows);
	int counts = kernel_map(kernel, "restore_counts");
	__u32 *moved =
		calloc((size_t)(count > 0 ? count : 0) + 1, sizeof(*moved));
	json_t *list = NULL;
	__u64 now = 0;

	if (count < 0 || !moved)
		fault(fault_out, "cannot read what is restored");
	else if (!moved_flows(kernel, rows, count, moved, fault_out))
		list = json_array();
	jiffies_now(kernel, &now);
	for (i = 0; list && i < count; i++) {
		/* Its grace is over; the next generation will not have it. */
		if (rows[i].restore.until && rows[i].restore.until < now)
			continue;
		json_array_append_new(list,
				      row_report(&rows[i], counts, moved[i]));
	}
	if (counts >= 0)
		close(counts);
	free(rows);
	free(moved);
	return list;
}

const struct section bkd_sections[] = {
	{"interfaces", report_interfaces, true, NULL, NULL},
	{"restores", restores, true, NULL, NULL},
	{"reasons", report_reasons, true, "packets", NULL},
	{0},
};
