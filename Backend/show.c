// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what runs on the backend, and what it has counted
 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "Backend/bkd.h"
#include "common/tool/endpoint.h"
#include "common/tool/generation.h"
#include "common/tool/report.h"

static json_t *restores(const struct kernel *kernel, struct fault *fault_out)
{
	struct restore_row *rows;
	int i, count = restores_read(kernel, generation_current(kernel), &rows);
	char address[64], vip[INET6_ADDRSTRLEN], method[32];
	json_t *list;

	if (count < 0) {
		fault(fault_out, "cannot read what is restored");
		return NULL;
	}
	list = json_array();
	for (i = 0; i < count; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "address",
				  endpoint_text(&rows[i].key.address,
						rows[i].key.port, address),
				  "protocol",
				  protocol_name(rows[i].key.protocol), "vip",
				  addr_text(&rows[i].restore.vip, vip),
				  "forward",
				  method_text(&rows[i].restore.method, method),
				  "for",
				  rows[i].restore.until ? "grace" : "good"));
	free(rows);
	return list;
}

const struct section bkd_sections[] = {
	{"interfaces", report_interfaces, true, NULL, NULL},
	{"restores", restores, true, NULL, NULL},
	{"reasons", report_reasons, true, "packets", NULL},
	{0},
};
