// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/status.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "LoadBalancer/flows.h"
#include "LoadBalancer/follow.h"
#include "common/tool/endpoint.h"
#include "common/tool/report.h"

static const char *const outcomes[] = {
	[OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_GOOD] = "good",
	[OUTCOME_BAD] = "bad",
};

static const char *const types[] = {
	[CHECK_NONE] = "none",	 [CHECK_TCP] = "tcp", [CHECK_HTTP] = "http",
	[CHECK_HTTPS] = "https", [CHECK_UDP] = "udp",
};

static json_t *check_row(const struct checked *row)
{
	char vip[64], address[INET6_ADDRSTRLEN];

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:f, s:I, s:I, s:I, "
		"s:I}",
		"service",
		endpoint_text(&row->service.vip, row->service.port, vip),
		"protocol", protocol_name(row->service.protocol), "backend",
		addr_text(&row->probe.backend, address), "type",
		types[row->check->type], "up", row->health.up, "path",
		outcomes[row->last.path], "application",
		outcomes[row->last.application], "why", row->last.why,
		"seconds", row->last.took / 1e6, "good", (json_int_t)row->good,
		"bad", (json_int_t)row->bad, "unmade", (json_int_t)row->unmade,
		"changed", (json_int_t)row->changed);
}

static json_t *checks_rows(const struct checks *checks)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < checks->count; i++)
		json_array_append_new(rows, check_row(checks->rows[i]));
	return rows;
}

#define WHILE 5 /* seconds; a look at all of a large table takes 10 ms */

static void flow_table(const struct kernel *kernel, struct follow *follow,
		       json_t *root)
{
	struct flow_table table;
	time_t now = time(NULL);
	size_t i;

	if (now - follow->counted >= WHILE) {
		/* Of none where it cannot be opened. */
		if (flow_table_open(&table, kernel_map(kernel, "flows"),
				    kernel_map(kernel, "flow_keys")))
			table.places = 0;
		follow->flows = 0;
		for (i = 0; i < table.places; i++)
			follow->flows += table.flows[i].hash != 0;
		follow->flows_most = table.places;
		follow->counted = now;
		flow_table_close(&table);
	}
	json_object_set_new(root, "flow-table-entries",
			    json_integer((json_int_t)follow->flows));
	json_object_set_new(root, "flow-table-size",
			    json_integer((json_int_t)follow->flows_most));
}

/* NULL: it cannot be read. Where xdp_lbr is not up, it says little. */
static json_t *snapshot(struct follow *follow)
{
	struct fault ignored;
	struct kernel kernel;
	json_t *root = NULL;
	char host[64] = "-";
	int rc = kernel_open(&kernel, follow->role, ACCESS_READ, &ignored);

	if (!rc && !kernel_attachments(&kernel, &ignored)) {
		root = report_sections(&kernel, NULL, &ignored);
		if (root)
			flow_table(&kernel, follow, root);
	} else if (rc == KERNEL_NOT_UP) {
		root = json_object();
	}
	kernel_close(&kernel);
	if (!root)
		return NULL;
	gethostname(host, sizeof(host) - 1);
	json_object_set_new(root, "host", json_string(host));
	json_object_set_new(root, "version", json_string(L3DSR_VERSION));
	json_object_set_new(root, "up", json_boolean(!rc));
	json_object_set_new(root, "started",
			    json_integer((json_int_t)follow->started));
	json_object_set_new(root, "checks", checks_rows(&follow->checks));
	return root;
}

static int status_write(void *data, struct evbuffer *out)
{
	json_t *root = snapshot(data);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	if (text)
		evbuffer_add_printf(out, "%s\n", text);
	free(text);
	json_decref(root);
	return text ? 0 : -1;
}

static int metrics(void *data, struct evbuffer *out)
{
	json_t *root = snapshot(data);

	if (!root)
		return -1;
	metrics_write(root, out);
	json_decref(root);
	return 0;
}

static int page_write(void *data, struct evbuffer *out)
{
	static const char page[] =
#include "LoadBalancer/page.h"
		;

	(void)data;
	return evbuffer_add_reference(out, page, sizeof(page) - 1, NULL, NULL);
}

const struct document_at status_documents[] = {
	{"/", "text/html; charset=utf-8", page_write},
	{"/status", "application/json", status_write},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
	{0},
};
