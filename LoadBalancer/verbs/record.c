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
#include "common/base/json.h"
#include "common/cli/report.h"
#include "common/core/abi_services.h"
#include "common/core/route.h"
#include "common/core/schedule.h"
#include "common/core/transport.h"
#include "common/core/select.h"

#define TEXT 160

static const char *const selected_by_texts[] = {
	[SELECTED_BY_TABLE] = "not remembered: by the scheduler",
	[SELECTED_BY_MEMORY] = "remembered",
	[SELECTED_BY_PREVIOUS] = "not remembered: by the generation before",
	[SELECTED_ANEW] = "its backend is gone, down or draining: anew",
};
#define SELECTED_BYS (sizeof(selected_by_texts) / sizeof(selected_by_texts[0]))

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
				    : transport_name(record->protocol),
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
	json_object_set_new(
		root, "flow",
		json_string(record->selected_by < SELECTED_BYS
				    ? selected_by_texts[record->selected_by]
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

json_t *record_lines(const struct record *record, const struct running *running)
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

static const char *const selected_by_words[] = {
	[SELECTED_BY_TABLE] = "scheduler",
	[SELECTED_BY_MEMORY] = "flow-table",
	[SELECTED_BY_PREVIOUS] = "previous-generation",
	[SELECTED_ANEW] = "reselection",
};

static json_t *interface_json(__u32 ifindex)
{
	char name[IF_NAMESIZE];

	return if_indextoname(ifindex, name) ? json_string(name) : json_null();
}

static json_t *service_json(const struct running_service *service)
{
	if (!service)
		return json_null();
	return json_pack("{s:o, s:o, s:s, s:s}", "vip",
			 json_addr(&service->key.vip), "port",
			 json_port(service->key.port), "protocol",
			 protocol_name(service->key.protocol), "scheduler",
			 scheduler_name(service->service.scheduler));
}

static json_t *slot_json(const struct record *record,
			 const struct service *service)
{
	struct scheduling from = {.hash = record->hash,
				  .source = &record->source};

	return json_integer(scheduler_table_slot(service->scheduler, &from,
						 service->table_size));
}

static json_t *next_hop_json(const struct record *record)
{
	bool asked = record->flags & RECORD_ASKED;
	bool is_known = record->fib >= 0 && (size_t)record->fib < FIB_NAMES;

	if (!(record->flags & RECORD_HOP))
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o, s:b, s:s?, s:o}", "via",
			 json_addr(&record->via), "mac",
			 json_mac(record->destination_mac), "interface",
			 interface_json(record->out), "mtu",
			 json_nonzero(record->mtu), "cached", !asked, "fib",
			 asked && is_known ? fib_names[record->fib] : NULL,
			 "fib-error",
			 asked && record->fib < 0 ? json_integer(-record->fib)
						  : json_null());
}

static void selection_json(const struct record *record,
			   const struct running_service *service, json_t *root)
{
	bool is_selected = service && record->flags & RECORD_BACKEND;
	bool has_slot = is_selected && service->service.table_size;

	json_object_set_new(root, "service", service_json(service));
	json_object_set_new(
		root, "selected-by",
		is_selected && record->selected_by < SELECTED_BYS
			? json_string(selected_by_words[record->selected_by])
			: json_null());
	json_object_set_new(root, "slot",
			    has_slot ? slot_json(record, &service->service)
				     : json_null());
	json_object_set_new(root, "table-size",
			    has_slot ? json_integer(service->service.table_size)
				     : json_null());
	json_object_set_new(root, "backend",
			    record->flags & RECORD_BACKEND
				    ? json_addr(&record->backend)
				    : json_null());
}

json_t *record_json(const struct record *record, const struct running *running)
{
	json_t *root =
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:b, s:b, s:b, s:o, s:I}",
			  "client", json_addr(&record->source), "client-port",
			  json_port(record->source_port), "vip",
			  json_addr(&record->destination), "port",
			  json_port(record->port), "protocol",
			  transport_name(record->protocol), "icmp-error",
			  !!(record->flags & RECORD_ERROR), "syn",
			  !!(record->packet & PACKET_SYN), "rst",
			  !!(record->packet & PACKET_RST), "interface",
			  interface_json(record->in), "generation",
			  (json_int_t)record->generation);

	selection_json(record,
		       record->flags & RECORD_SERVICE
			       ? running_service_of(running, record->service)
			       : NULL,
		       root);
	json_object_set_new(root, "next-hop", next_hop_json(record));
	report_reason(record->reason, root);
	return root;
}
