// SPDX-License-Identifier: GPL-2.0-only
/*
 * show_states.c - the rows of services and backends: configuration, state,
 * counters
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/standing.h"
#include "LoadBalancer/verbs/show.h"
#include "common/base/address.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/age.h"

/* A time of day as text; "-": there is none. */
static const char *time_text(time_t at, char text[32])
{
	strcpy(text, "-");
	if (at)
		strftime(text, 32, "%FT%T%z", localtime(&at));
	return text;
}

/* The time of day at which jiffies will be `until`; 0: it has no end. */
static time_t until_time(__u64 until, __u64 now)
{
	if (!until)
		return 0;
	return time(NULL) +
	       (time_t)((milliseconds_of(jiffies_left(now, until)) + 500) /
			1000);
}

static const char *why_text(const struct standing *standing)
{
	return *standing->why ? standing->why : "-";
}

static json_t *service_row(const struct show *show,
			   const struct standings *standings,
			   const struct running_service *row, time_t until)
{
	struct backend_count sum = {0};
	struct standing standing;
	char text[64], method[32], since[32], when[32];
	size_t i, end, backends = 0;

	running_range(&show->running, row->service.id, &i, &end);
	for (; i < end; i++) {
		const struct backend *backend = show->running.by_address[i];
		const struct backend_count *count =
			&show->counts[backend->id % BACKEND_SLOTS];

		sum.packets += count->packets;
		sum.bytes += count->bytes;
		sum.flows += count->flows;
		backends += backend->state != BACKEND_LEAVING;
	}
	service_stands(standings, row, &standing);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, "
		"s:s}",
		"service", endpoint_text(&row->key.vip, row->key.port, text),
		"protocol", protocol_name(row->key.protocol), "state",
		standing.state, "since",
		time_text((time_t)standing.since, since), "scheduler",
		scheduler_name(row->service.scheduler), "forward",
		method_text(&row->service.method, method), "table-size",
		(json_int_t)row->service.table_size, "backends",
		(json_int_t)backends, "until", time_text(until, when), "flows",
		(json_int_t)sum.flows, "packets", (json_int_t)sum.packets,
		"bytes", (json_int_t)sum.bytes, "why", why_text(&standing));
}

json_t *services_rows(const struct kernel *kernel, const struct show *show)
{
	const struct running *running = &show->running;
	const struct running_service *row = running->services;
	json_t *rows = json_array();
	struct standings standings;
	__u64 now, until;
	size_t i;

	if (jiffies_now(kernel, &now)) {
		json_decref(rows);
		return NULL;
	}
	standings_open(&standings, kernel, running);
	for (i = 0; i < running->service_count; i++, row++) {
		until = running_until(running, row);
		if (until && until <= now)
			continue;
		json_array_append_new(rows,
				      service_row(show, &standings, row,
						  until_time(until, now)));
	}
	standings_close(&standings);
	return rows;
}

static json_t *backend_row(const struct show *show,
			   const struct standings *standings,
			   const struct running_service *service,
			   const struct backend *row, time_t until,
			   __u32 in_use)
{
	static const char *const by_hand[] = {"-", "state", "weight",
					      "state, weight"};
	const struct backend_count *count =
		&show->counts[row->id % BACKEND_SLOTS];
	char text[64], address[INET6_ADDRSTRLEN], since[32], when[32];
	struct standing standing;

	backend_stands(standings, row, &standing);
	return json_pack(
		"{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:I, "
		"s:I, s:I, s:s}",
		"service",
		endpoint_text(&service->key.vip, service->key.port, text),
		"protocol", protocol_name(service->key.protocol), "backend",
		addr_text(&row->address, address), "weight",
		(json_int_t)row->weight, "state", standing.state, "since",
		time_text((time_t)standing.since, since), "found",
		finding_name(row->finding), "gets", flows_name(row), "by-hand",
		by_hand[row->by_hand & 3], "in-use", (json_int_t)in_use,
		"until", time_text(until, when), "flows",
		(json_int_t)count->flows, "packets", (json_int_t)count->packets,
		"bytes", (json_int_t)count->bytes, "why", why_text(&standing));
}

json_t *backends_rows(const struct kernel *kernel, const struct show *show)
{
	const struct running *running = &show->running;
	__u32 *in_use = calloc(BACKEND_SLOTS, sizeof(*in_use));
	json_t *rows = json_array();
	struct standings standings;
	__u64 now = 0, until;
	size_t i;

	if (!in_use || jiffies_now(kernel, &now) ||
	    flows_in_use(kernel, running, now, in_use)) {
		free(in_use);
		json_decref(rows);
		return NULL;
	}
	standings_open(&standings, kernel, running);
	for (i = 0; i < running->backend_count; i++) {
		const struct backend *row = running->by_address[i];
		const struct running_service *service =
			running_service_of(running, row->service);

		until = running->until[row->id % BACKEND_SLOTS];
		if (!service || (until && until <= now))
			continue;
		json_array_append_new(
			rows, backend_row(show, &standings, service, row,
					  until_time(until, now),
					  in_use[row->id % BACKEND_SLOTS]));
	}
	standings_close(&standings);
	free(in_use);
	return rows;
}
