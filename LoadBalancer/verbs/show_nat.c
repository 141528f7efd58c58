// SPDX-License-Identifier: GPL-2.0-only
/*
 * show_nat.c - flows that are translated, and the ports that they have
 */
#include "LoadBalancer/host/nat_rows.h"
#include "LoadBalancer/verbs/show.h"
#include "common/base/json.h"
#include "common/config/endpoint.h"
#include "common/core/age.h"

/* What a source's ports are doing. */
struct use {
	__u32 flows;   /* open */
	__u32 resting; /* their flow has ended, and no other may have them yet
			*/
};

static void uses_count(const struct nat_table *table,
		       struct use uses[NAT_SOURCES])
{
	union nat_state state;
	struct use *use;
	__u32 i;

	for (i = 0; i < table->count; i++) {
		state = nat_state_of(&table->rows[i]);
		if (!state.word || state.source >= NAT_SOURCES)
			continue;
		use = &uses[state.source];
		if (nat_lives(state, &table->times, table->now) &&
		    !nat_is_over(state))
			use->flows++;
		else if (!nat_is_free(state, &table->times, table->now))
			use->resting++;
	}
}

json_t *nat_sources_rows(const struct kernel *kernel)
{
	struct use uses[NAT_SOURCES] = {0};
	json_t *rows = json_array();
	struct nat_table table;
	size_t i;

	if (nat_table_open(kernel, &table))
		return rows;
	uses_count(&table, uses);
	for (i = 0; i < NAT_SOURCES; i++) {
		const struct nat_source *source = &table.sources[i];

		if (!source->count && !uses[i].flows && !uses[i].resting)
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:o, s:o, s:I, s:I, s:I}", "source",
				  json_addr(&source->address), "first-port",
				  json_nonzero(source->first), "ports",
				  (json_int_t)source->count, "flows",
				  (json_int_t)uses[i].flows, "resting",
				  (json_int_t)uses[i].resting));
	}
	nat_table_close(&table);
	return rows;
}

/* How far a flow is. */
static const char *phase_name(union nat_state state)
{
	if (state.phase & NAT_RESET)
		return "reset";
	if ((state.phase & NAT_CLOSED) == NAT_CLOSED)
		return "closed";
	if (state.phase & NAT_ESTABLISHED)
		return state.phase & NAT_CLOSED ? "closing" : "established";
	return state.phase & NAT_REPLIED ? "replied" : "new";
}

static json_t *nat_flow_row(const struct running *running,
			    const struct nat_table *table,
			    const struct nat_row *row, union nat_state state)
{
	const struct backend *backend =
		&running->backends[row->backend % BACKEND_INDEXES];
	bool is_there = backend->id == row->backend;
	const struct addr *source =
		&table->sources[state.source % NAT_SOURCES].address;

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:I}",
		"client", json_addr(&row->client), "client-port",
		json_port(row->client_port), "vip", json_addr(&row->vip),
		"port", json_port(row->vip_port), "protocol",
		protocol_name(state.protocol), "backend",
		is_there ? json_addr(&backend->address) : json_null(),
		"backend-port", json_port(row->backend_port), "source",
		json_addr(source), "source-port", json_port(row->port), "phase",
		phase_name(state), "idle-seconds",
		(json_int_t)(age_low(table->now, state.seen) /
			     table->times.second));
}

json_t *nat_flows_rows(const struct kernel *kernel, const struct show *show)
{
	json_t *rows = json_array();
	struct nat_table table;
	union nat_state state;
	__u32 i;

	if (nat_table_open(kernel, &table))
		return rows;
	for (i = 0; i < table.count; i++) {
		state = nat_state_of(&table.rows[i]);
		if (nat_lives(state, &table.times, table.now))
			json_array_append_new(
				rows, nat_flow_row(&show->running, &table,
						   &table.rows[i], state));
	}
	nat_table_close(&table);
	return rows;
}
