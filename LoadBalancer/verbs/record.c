// SPDX-License-Identifier: GPL-2.0-only
/*
 * record.c - print a decision of xdp_lbr, step by step, for people and machines
 */
#include <arpa/inet.h>
#include <linux/bpf.h>
#include <stdio.h>

#include "LoadBalancer/generation/read.h"
#include "LoadBalancer/verbs/explain.h"
#include "common/base/address.h"
#include "common/cli/report.h"
#include "common/core/abi_services.h"
#include "common/core/route.h"
#include "common/core/schedule.h"
#include "common/core/select.h"

#define TEXT 160

static const char *const origins[] = {
	[ORIGIN_TABLE] = "not remembered: by the scheduler",
	[ORIGIN_KNOWN] = "remembered",
	[ORIGIN_PREVIOUS] = "not remembered: by the generation before",
	[ORIGIN_MOVED] = "its backend is gone, down or draining: anew",
};
#define ORIGINS (sizeof(origins) / sizeof(origins[0]))

static const char *const fib_names[] = {
#define FIB_STRING(name, reason) [BPF_FIB_LKUP_RET_##name] = #name,
	FIB_RESULTS(FIB_STRING)
#undef FIB_STRING
};
#define FIB_NAMES (sizeof(fib_names) / sizeof(fib_names[0]))

static json_t *packet_text(const struct record *record)
{
	char from[64], to[64];

	endpoint_text(&record->source, record->source_port, from);
	endpoint_text(&record->destination, record->port, to);
	return json_sprintf("%s > %s %s%s%s", from, to,
			    record->flags & RECORD_ERROR
				    ? "icmp error"
				    : protocol_name(record->protocol),
			    record->packet & PACKET_SYN ? " syn" : "",
			    record->packet & PACKET_RST ? " rst" : "");
}

/* The slot of the flow, if the scheduler is a function of the flow. */
static void slot_text(const struct record *record,
		      const struct service *service, json_t *root)
{
	struct scheduling from = {.hash = record->hash,
				  .source = &record->source};

	if (!service->table_size)
		return;
	json_object_set_new(
		root, "slot",
		json_sprintf("%u of %u",
			     scheduler_table_slot(service->scheduler, &from,
						  service->table_size),
			     service->table_size));
}

static void service_text(const struct record *record,
			 const struct running *running, json_t *root)
{
	const struct running_service *service =
		running_service_of(running, record->service);
	char text[64];

	if (!service) {
		json_object_set_new(root, "service", json_string("gone"));
		return;
	}
	json_object_set_new(
		root, "service",
		json_sprintf("%s/%s, %s",
			     endpoint_text(&service->key.vip, service->key.port,
					   text),
			     protocol_name(service->key.protocol),
			     scheduler_name(service->service.scheduler)));
	if (!(record->flags & RECORD_BACKEND))
		return;
	json_object_set_new(root, "flow",
			    json_string(record->origin < ORIGINS
						? origins[record->origin]
						: "?"));
	slot_text(record, &service->service, root);
}

static json_t *hop_text(const struct record *record)
{
	char via[INET6_ADDRSTRLEN], mac[18], name[IF_NAMESIZE] = "?";
	bool asked = record->flags & RECORD_ASKED;

	if (asked && (record->fib < 0 || (size_t)record->fib >= FIB_NAMES))
		return json_sprintf("the FIB refused the question: %lld",
				    (long long)record->fib);
	if (asked && record->fib != BPF_FIB_LKUP_RET_SUCCESS)
		return json_sprintf("%s (via %s)", fib_names[record->fib],
				    addr_text(&record->via, via));
	if_indextoname(record->out, name);
	return json_sprintf(
		"%s %s, out of %s, MTU %u (%s)", addr_text(&record->via, via),
		mac_text(record->destination_mac, mac), name, record->mtu,
		asked ? "the FIB was asked" : "as it said before");
}

json_t *record_object(const struct record *record,
		      const struct running *running)
{
	json_t *root = json_object();
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE] = "?";

	if_indextoname(record->in, name);
	json_object_set_new(root, "packet", packet_text(record));
	json_object_set_new(root, "interface", json_string(name));
	json_object_set_new(root, "generation",
			    json_integer((json_int_t)record->generation));
	if (record->flags & RECORD_SERVICE)
		service_text(record, running, root);
	if (record->flags & RECORD_BACKEND)
		json_object_set_new(
			root, "backend",
			json_string(addr_text(&record->backend, text)));
	if (record->flags & RECORD_HOP)
		json_object_set_new(root, "next-hop", hop_text(record));
	report_reason(record->reason, root);
	return root;
}
