// SPDX-License-Identifier: GPL-2.0-only
/*
 * show_states.c - the rows of services and backends: configuration, state,
 * counters
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/unmark.h"
#include "LoadBalancer/generation/condition.h"
#include "LoadBalancer/host/announcements.h"
#include "LoadBalancer/verbs/show.h"
#include "common/base/elapsed.h"
#include "common/base/json.h"
#include "common/config/method_names.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/age.h"

/* The time of day at which jiffies will be `until`; 0: it has no end. */
static time_t until_time(__u64 until, __u64 now)
{
	if (!until)
		return 0;
	return time(NULL) +
	       (time_t)((milliseconds_of(jiffies_left(now, until)) + 500) /
			1000);
}

/*
 * Why it is in its state or, if the state does not say so, why it is not fit
 * and its VIP therefore announced worse.
 */
static json_t *service_why(const struct announcements *announcements,
			   const struct condition *condition,
			   const struct fitness *fitness)
{
	if (fitness->is_fit || !announces(&announcements->config) ||
	    (condition->status != SERVICE_UP &&
	     condition->status != SERVICE_DEGRADED))
		return json_text(condition->why);
	return json_sprintf("not fit: %s%s%s", fitness->why,
			    *condition->why ? "; " : "", condition->why);
}

static json_t *service_row(const struct show *show,
			   const struct conditions *conditions,
			   const struct announcements *announcements,
			   const struct running_service *row, time_t until,
			   size_t moved)
{
	struct backend_count sum = {0};
	struct condition condition;
	struct fitness fitness;
	const struct method *method = &row->service.method;
	size_t i, end, backends = 0;

	running_range(&show->running, row->service.id, &i, &end);
	for (; i < end; i++) {
		const struct backend *backend = show->running.by_address[i];
		const struct backend_count *count =
			&show->counts[backend->id % BACKEND_INDEXES];

		sum.packets += count->packets;
		sum.bytes += count->bytes;
		sum.flows += count->flows;
		backends += backend->state != BACKEND_REMOVING;
	}
	service_condition(conditions, row, &condition);
	service_fitness(&announcements->fitnesses, row, &fitness);
	return json_pack(
		"{s:o, s:o, s:s, s:s, s:o, s:b, s:s?, s:s, s:s, s:o, s:s, s:o, "
		"s:I, s:I, s:o, s:I, s:I, s:I, s:o}",
		"vip", json_addr(&row->key.vip), "port",
		json_port(row->key.port), "protocol",
		protocol_name(row->key.protocol), "state", condition.state,
		"since", json_time(event_time(condition.since)), "fit",
		fitness.is_fit, "announced",
		announcement_name(announcements, &row->key.vip), "scheduler",
		scheduler_name(row->service.scheduler), "forward",
		method_name(method), "dscp", json_nonzero(method->dscp),
		"checksum", checksum_name(method->checksum), "table-size",
		json_nonzero(row->service.table_size), "moved-slots",
		(json_int_t)moved, "backends", (json_int_t)backends, "until",
		json_time(until), "flows-total", (json_int_t)sum.flows,
		"packets", (json_int_t)sum.packets, "bytes",
		(json_int_t)sum.bytes, "why",
		service_why(announcements, &condition, &fitness));
}

json_t *services_rows(const struct kernel *kernel, const struct show *show)
{
	const struct running *running = &show->running;
	const struct running_service *row = running->services;
	json_t *rows = json_array();
	struct announcements announcements = {0};
	struct conditions conditions;
	struct tables tables;
	struct fault ignored;
	__u64 now, until;
	size_t i;

	if (jiffies_now(kernel, &now) ||
	    announcements_open(&announcements, kernel, running, &ignored) ||
	    tables_open(&tables, kernel, PROT_READ)) {
		announcements_close(&announcements);
		json_decref(rows);
		return NULL;
	}
	conditions_open(&conditions, kernel, running);
	for (i = 0; i < running->service_count; i++, row++) {
		until = running_until(running, row);
		if (until && until <= now)
			continue;
		json_array_append_new(
			rows, service_row(show, &conditions, &announcements,
					  row, until_time(until, now),
					  moved_slots(&tables, running, row)));
	}
	tables_close(&tables);
	announcements_close(&announcements);
	conditions_close(&conditions);
	return rows;
}

static json_t *overrides(const struct backend *row)
{
	json_t *list = json_array();

	if (row->override & OVERRIDE_STATE)
		json_array_append_new(list, json_string("state"));
	if (row->override & OVERRIDE_WEIGHT)
		json_array_append_new(list, json_string("weight"));
	return list;
}

static json_t *backend_row(const struct show *show,
			   const struct conditions *conditions,
			   const struct running_service *service,
			   const struct backend *row, time_t until,
			   __u32 active)
{
	const struct backend_count *count =
		&show->counts[row->id % BACKEND_INDEXES];
	struct condition condition;

	backend_condition(conditions, row, &condition);
	return json_pack(
		"{s:o, s:o, s:s, s:o, s:o, s:I, s:s, s:o, s:s?, s:s, s:o, s:I, "
		"s:o, s:I, s:I, s:I, s:o}",
		"vip", json_addr(&service->key.vip), "port",
		json_port(service->key.port), "protocol",
		protocol_name(service->key.protocol), "backend",
		json_addr(&row->address), "backend-port",
		json_nonzero(bpf_ntohs(row->port)), "weight",
		(json_int_t)row->weight, "state", condition.state, "since",
		json_time(event_time(condition.since)), "health",
		finding_name(row->finding), "accepts", flows_name(row),
		"overrides", overrides(row), "active-flows", (json_int_t)active,
		"until", json_time(until), "flows-total",
		(json_int_t)count->flows, "packets", (json_int_t)count->packets,
		"bytes", (json_int_t)count->bytes, "why",
		json_text(condition.why));
}

json_t *backends_rows(const struct kernel *kernel, const struct show *show)
{
	const struct running *running = &show->running;
	__u32 *active = calloc(BACKEND_INDEXES, sizeof(*active));
	json_t *rows = json_array();
	struct conditions conditions;
	__u64 now = 0, until;
	size_t i;

	if (!active || jiffies_now(kernel, &now) ||
	    active_flows(kernel, running, now, active)) {
		free(active);
		json_decref(rows);
		return NULL;
	}
	conditions_open(&conditions, kernel, running);
	for (i = 0; i < running->backend_count; i++) {
		const struct backend *row = running->by_address[i];
		const struct running_service *service =
			running_service_of(running, row->service);

		until = running->until[row->id % BACKEND_INDEXES];
		if (!service || (until && until <= now))
			continue;
		json_array_append_new(
			rows, backend_row(show, &conditions, service, row,
					  until_time(until, now),
					  active[row->id % BACKEND_INDEXES]));
	}
	conditions_close(&conditions);
	free(active);
	return rows;
}
