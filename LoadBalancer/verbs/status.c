// SPDX-License-Identifier: GPL-2.0-only
/*
 * status.c - what `lbr run` serves besides what `show` prints
 */
#include "common/serve/status.h"

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/health/monitor.h"
#include "LoadBalancer/verbs/show.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/json.h"
#include "common/config/endpoint.h"

static const char *const outcomes[] = {
	[OUTCOME_UNKNOWN] = "unknown",
	[OUTCOME_GOOD] = "good",
	[OUTCOME_BAD] = "bad",
};

static const char *const types[] = {
	[CHECK_NONE] = "none", [CHECK_TCP] = "tcp",
	[CHECK_HTTP] = "http", [CHECK_HTTPS] = "https",
	[CHECK_UDP] = "udp",   [CHECK_HEARTBEAT] = "heartbeat",
};

/* null: it has none. */
static json_t *heartbeat_said(const struct heard *heard)
{
	return json_text(heard->wanted ? heartbeat_verdict_word(&heard->verdict)
				       : "");
}

/* Of the last check, or of heartbeats. */
static const char *why_of(const struct checked *row)
{
	return *row->last.why ? row->last.why : row->heard.verdict.why;
}

static json_t *check_row(const struct checked *row)
{
	return json_pack(
		"{s:o, s:o, s:s, s:o, s:s, s:b, s:s, s:s, s:o, s:o, s:f, s:I, "
		"s:I, s:I}",
		"vip", json_addr(&row->service.vip), "port",
		json_port(row->service.port), "protocol",
		protocol_name(row->service.protocol), "backend",
		json_addr(&row->probe.backend), "type", types[row->check.type],
		"up", !checked_is_down(row), "path", outcomes[row->last.path],
		"application", outcomes[row->last.application], "heartbeat",
		heartbeat_said(&row->heard), "why", json_text(why_of(row)),
		"duration-seconds", row->last.took / 1e6, "good",
		(json_int_t)row->good, "bad", (json_int_t)row->bad, "skipped",
		(json_int_t)row->skipped);
}

static json_t *checks_rows(const struct checks *checks)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < checks->count; i++)
		json_array_append_new(rows, check_row(checks->rows[i]));
	return rows;
}

static void datagrams_add(json_t *rows, const char *word, __u64 datagrams)
{
	json_array_append_new(rows,
			      json_pack("{s:s, s:I}", "word", word, "datagrams",
					(json_int_t)datagrams));
}

/* What became of all that came to the port of heartbeats. */
static json_t *datagrams_rows(const struct heartbeats *heartbeats)
{
	json_t *rows = json_array();
	int word;

	for (word = 0; word < HEARTBEAT_WORD_COUNT; word++)
		datagrams_add(rows, heartbeat_word((enum heartbeat_word)word),
			      heartbeats->counts[word]);
	datagrams_add(rows, "overflowed", heartbeats_overflowed(heartbeats));
	datagrams_add(rows, "unremembered", heartbeats->unremembered);
	return rows;
}

static void flow_table(const struct kernel *kernel, json_t *root)
{
	struct flow_table table;
	size_t i, flows = 0;

	/* -1 if it cannot be opened. */
	if (flows_open(&table, kernel_map(kernel, "flows")))
		table.ways = 0;
	for (i = 0; i < table.ways; i++)
		flows += flow_is_remembered(&table.flows[i]);
	json_object_set_new(root, "flow-table-entries",
			    json_integer((json_int_t)flows));
	/* As flow-table-size says: half of the ways, see flows.h. */
	json_object_set_new(root, "flow-table-size",
			    json_integer((json_int_t)table.ways / 2));
	flow_table_close(&table);
}

/* As `show heartbeats`. */
static void heartbeats_add(const struct kernel *kernel, json_t *root)
{
	struct fault ignored;
	json_t *rows = heartbeats_section(kernel, &ignored);

	if (rows)
		json_object_set_new(root, "heartbeats", rows);
}

static void add(void *data, const struct kernel *kernel, json_t *root)
{
	struct lbr_monitor *monitor = data;

	if (kernel) {
		flow_table(kernel, root);
		json_object_set_new(root, "nat-sources",
				    nat_sources_rows(kernel));
	}
	json_object_set_new(root, "checks", checks_rows(&monitor->checks));
	if (kernel)
		heartbeats_add(kernel, root);
	json_object_set_new(root, "heartbeat-datagrams",
			    datagrams_rows(&monitor->heartbeats));
	json_object_set_new(root, "lock-waited-seconds",
			    json_real(lock_waited(&monitor->waiting)));
}

static const char page[] =
#include "LoadBalancer/page.h"
	;

const struct status_source lbr_status_source = {lbr_metrics, page, add};
