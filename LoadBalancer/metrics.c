// SPDX-License-Identifier: GPL-2.0-only
/*
 * metrics.c - the snapshot in Prometheus' text format, version 0.0.4
 *
 * A row of the table is a metric: which field of which section's rows, told
 * apart by which of their words. A section "" is the snapshot itself.
 */
#include <event2/buffer.h>
#include <jansson.h>
#include <string.h>

#include "LoadBalancer/status.h"

struct metric {
	const char *name, *type, *help;
	const char *section, *field;
	const char *is;	       /* it counts where the field is this word ... */
	const char *labels[4]; /* ... and rows differ in these */
};

#define SERVICE                                                                \
	{                                                                      \
		"service", "protocol"                                          \
	}
#define BACKEND                                                                \
	{                                                                      \
		"service", "protocol", "backend"                               \
	}
#define REASON                                                                 \
	{                                                                      \
		"reason", "action"                                             \
	}

/* clang-format off */
static const struct metric rows[] = {
	{"lbr_up", "gauge", "Whether xdp_lbr is loaded and attached.",
	 "", "up", NULL, {NULL}},
	{"lbr_run_start_time_seconds", "gauge", "When lbr run began, in Unix time.",
	 "", "started", NULL, {NULL}},
	{"lbr_generation", "gauge", "Number of the running configuration.",
	 "", "generation", NULL, {NULL}},
	{"lbr_flow_table_entries", "gauge", "Flows that are remembered.",
	 "", "flow-table-entries", NULL, {NULL}},
	{"lbr_flow_table_size", "gauge", "Flows that can be remembered.",
	 "", "flow-table-size", NULL, {NULL}},
	{"lbr_flows_not_remembered_total", "counter",
	 "Flows that insert-limit kept from being remembered.",
	 "", "flows-not-remembered", NULL, {NULL}},
	{"lbr_service_packets_total", "counter", "Packets sent to the service's backends.",
	 "services", "packets", NULL, SERVICE},
	{"lbr_service_bytes_total", "counter", "Bytes of these packets' frames.",
	 "services", "bytes", NULL, SERVICE},
	{"lbr_service_flows_total", "counter", "Flows that began.",
	 "services", "flows", NULL, SERVICE},
	{"lbr_backend_packets_total", "counter", "Packets sent to the backend.",
	 "backends", "packets", NULL, BACKEND},
	{"lbr_backend_bytes_total", "counter", "Bytes of these packets' frames.",
	 "backends", "bytes", NULL, BACKEND},
	{"lbr_backend_flows_total", "counter", "Flows that began.",
	 "backends", "flows", NULL, BACKEND},
	{"lbr_backend_flows_in_use", "gauge", "Flows that had a packet a while ago.",
	 "backends", "in-use", NULL, BACKEND},
	{"lbr_backend_weight", "gauge", "Its share of new flows, relative to others.",
	 "backends", "weight", NULL, BACKEND},
	{"lbr_backend_up", "gauge", "Whether it gets new flows.",
	 "backends", "state", "active", BACKEND},
	{"lbr_backend_draining", "gauge", "Whether it keeps its flows and gets no new ones.",
	 "backends", "state", "draining", BACKEND},
	{"lbr_check_up", "gauge", "Whether health checks found the backend up.",
	 "checks", "up", NULL, BACKEND},
	{"lbr_check_path_good", "gauge", "Whether the last check was answered from the VIP.",
	 "checks", "path", "good", BACKEND},
	{"lbr_check_application_bad", "gauge", "Whether the last check's answer was bad.",
	 "checks", "application", "bad", BACKEND},
	{"lbr_check_duration_seconds", "gauge", "What the last check took.",
	 "checks", "seconds", NULL, BACKEND},
	{"lbr_check_good_total", "counter", "Checks that were good.",
	 "checks", "good", NULL, BACKEND},
	{"lbr_check_bad_total", "counter", "Checks that were bad.",
	 "checks", "bad", NULL, BACKEND},
	{"lbr_check_unmade_total", "counter",
	 "Checks that could not begin, for want of something on this host.",
	 "checks", "unmade", NULL, BACKEND},
	{"lbr_packets_total", "counter", "Packets that left xdp_lbr, by reason.",
	 "reasons", "packets", NULL, REASON},
};
/* clang-format on */

static void value_write(const struct metric *metric, const json_t *value,
			struct evbuffer *out)
{
	if (metric->is)
		evbuffer_add_printf(
			out, " %d\n",
			!strcmp(json_string_value(value) ?: "", metric->is));
	else if (json_is_real(value))
		evbuffer_add_printf(out, " %.6f\n", json_real_value(value));
	else if (json_is_boolean(value))
		evbuffer_add_printf(out, " %d\n", json_is_true(value));
	else
		evbuffer_add_printf(out, " %" JSON_INTEGER_FORMAT "\n",
				    json_integer_value(value));
}

/* Words of ours, addresses and numbers: nothing that would need an escape. */
static void row_write(const struct metric *metric, const json_t *row,
		      struct evbuffer *out)
{
	const json_t *value = json_object_get(row, metric->field);
	const char *const *label = metric->labels;

	if (!value)
		return;
	evbuffer_add_printf(out, "%s", metric->name);
	for (; *label; label++)
		evbuffer_add_printf(
			out, "%s%s=\"%s\"", label == metric->labels ? "{" : ",",
			*label,
			json_string_value(json_object_get(row, *label)) ?: "");
	evbuffer_add_printf(out, "%s", *metric->labels ? "}" : "");
	value_write(metric, value, out);
}

static void head_write(const char *name, const char *type, const char *help,
		       struct evbuffer *out)
{
	evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help,
			    name, type);
}

/* The same numbers, of those that went no further, without the others. */
static void drops_write(const json_t *status, struct evbuffer *out)
{
	static const struct metric drops = {
		.name = "lbr_drops_total",
		.field = "packets",
		.labels = {"reason"},
	};
	const json_t *row;
	size_t i;

	head_write(drops.name, "counter", "Packets dropped, by reason.", out);
	json_array_foreach(json_object_get(status, "reasons"), i, row)
	{
		if (!strcmp(json_string_value(json_object_get(row, "action"))
				    ?: "",
			    "DROP"))
			row_write(&drops, row, out);
	}
}

void metrics_write(const struct json_t *status, struct evbuffer *out)
{
	const json_t *row;
	size_t i, j;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		head_write(rows[i].name, rows[i].type, rows[i].help, out);
		if (!*rows[i].section)
			row_write(&rows[i], status, out);
		json_array_foreach(json_object_get(status, rows[i].section), j,
				   row) row_write(&rows[i], row, out);
	}
	drops_write(status, out);
}
