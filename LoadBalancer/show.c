// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what runs on the load balancer, and what it has counted
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/lbr.h"
#include "LoadBalancer/running.h"
#include "common/core/reason.h"
#include "common/tool/cli.h"
#include "common/tool/netlink.h"
#include "common/tool/output.h"
#include "common/tool/report.h"

/* What `show` reads before it prints any of it. */
struct show {
	struct kernel kernel;
	struct running running;
	struct backend_count *counts; /* BACKEND_SLOTS of them */
};

static const struct running_service *service_of(const struct show *show,
						__u32 id)
{
	size_t i;

	for (i = 0; i < show->running.service_count; i++) {
		if (show->running.services[i].service.id == id)
			return &show->running.services[i];
	}
	return NULL;
}

/* Sums over the CPUs, of the backends that are there. */
static int counts_read(struct show *show)
{
	int map = kernel_map(&show->kernel, "backend_counts"), cpu;
	int cpus = libbpf_num_possible_cpus();
	struct backend_count *each = calloc((size_t)cpus, sizeof(*each)), *sum;
	__u32 key;
	size_t i;

	show->counts = calloc(BACKEND_SLOTS, sizeof(*show->counts));
	for (i = 0; each && show->counts && i < show->running.backend_count;
	     i++) {
		key = show->running.by_address[i]->id % BACKEND_SLOTS;
		sum = &show->counts[key];
		if (bpf_map_lookup_elem(map, &key, each))
			continue;
		for (cpu = 0; cpu < cpus; cpu++) {
			sum->packets += each[cpu].packets;
			sum->bytes += each[cpu].bytes;
			sum->flows += each[cpu].flows;
		}
	}
	free(each);
	close(map);
	return show->counts ? 0 : -1;
}

static json_t *services(const struct show *show)
{
	json_t *rows = json_array();
	size_t i, first, end, backends;
	char text[64];

	for (i = 0; i < show->running.service_count; i++) {
		const struct running_service *row = &show->running.services[i];
		struct backend_count sum = {0};

		running_range(&show->running, row->service.id, &first, &end);
		for (backends = end - first; first < end; first++) {
			__u32 key = show->running.by_address[first]->id %
				    BACKEND_SLOTS;

			sum.packets += show->counts[key].packets;
			sum.bytes += show->counts[key].bytes;
			sum.flows += show->counts[key].flows;
		}
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I}",
				  "service",
				  endpoint_text(&row->key.vip, row->key.port,
						text),
				  "protocol", protocol_name(row->key.protocol),
				  "scheduler",
				  scheduler_name(row->service.scheduler),
				  "table_size",
				  (json_int_t)row->service.table_size,
				  "backends", (json_int_t)backends, "flows",
				  (json_int_t)sum.flows, "packets",
				  (json_int_t)sum.packets, "bytes",
				  (json_int_t)sum.bytes));
	}
	return rows;
}

static json_t *backends(const struct show *show)
{
	json_t *rows = json_array();
	char text[64], address[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; i < show->running.backend_count; i++) {
		const struct backend *row = show->running.by_address[i];
		const struct running_service *service =
			service_of(show, row->service);
		const struct backend_count *count =
			&show->counts[row->id % BACKEND_SLOTS];

		if (!service)
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I}",
				  "service",
				  endpoint_text(&service->key.vip,
						service->key.port, text),
				  "protocol",
				  protocol_name(service->key.protocol),
				  "backend", addr_text(&row->address, address),
				  "weight", (json_int_t)row->weight, "state",
				  state_name(row->state), "flows",
				  (json_int_t)count->flows, "packets",
				  (json_int_t)count->packets, "bytes",
				  (json_int_t)count->bytes));
	}
	return rows;
}

static json_t *flow_row(const struct show *show, const struct flow_key *key,
			const struct flow *flow)
{
	const struct running_service *service = service_of(show, key->service);
	const struct backend *backend =
		&show->running.backends[flow->backend % BACKEND_SLOTS];
	char client[64], vip[64], address[INET6_ADDRSTRLEN];

	if (!service)
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s, s:s}", "client",
		endpoint_text(&key->source, key->source_port, client),
		"service", endpoint_text(&service->key.vip, key->port, vip),
		"protocol", protocol_name(service->key.protocol), "backend",
		backend->id == flow->backend
			? addr_text(&backend->address, address)
			: "gone");
}

static json_t *flows(const struct show *show)
{
	int map = kernel_map(&show->kernel, "flows");
	struct flow_key key, *last = NULL;
	json_t *rows = json_array(), *row;
	struct flow flow;

	while (!bpf_map_get_next_key(map, last, &key)) {
		/* It may have gone between the two calls. */
		if (!bpf_map_lookup_elem(map, &key, &flow)) {
			row = flow_row(show, &key, &flow);
			if (row)
				json_array_append_new(rows, row);
		}
		last = &key;
	}
	close(map);
	return rows;
}

static json_t *next_hops(const struct show *show)
{
	json_t *rows = json_array();
	char backend[INET6_ADDRSTRLEN], via[INET6_ADDRSTRLEN], mac[18];
	char name[IF_NAMESIZE];
	struct fault ignored;
	struct next_hop hop;
	size_t i, j;

	for (i = 0; i < show->running.backend_count; i++) {
		const struct backend *row = show->running.by_address[i];

		/* One line for a backend of many services. */
		for (j = 0; j < i; j++) {
			if (!memcmp(&show->running.by_address[j]->address,
				    &row->address, sizeof(row->address)))
				break;
		}
		if (j < i || next_hop_read(&row->address, &hop, &ignored))
			continue;
		json_array_append_new(
			rows,
			json_pack("{s:s, s:s, s:s, s:s, s:s}", "backend",
				  addr_text(&row->address, backend),
				  "interface",
				  hop.ifindex
					  ? if_indextoname(
						    (unsigned)hop.ifindex, name)
					  : "no route",
				  "via",
				  hop.ifindex ? addr_text(&hop.gateway, via)
					      : "-",
				  "mac", mac_text(hop.mac, mac), "neighbour",
				  hop.neighbour));
	}
	return rows;
}

static json_t *reasons(const struct show *show)
{
	return report_reasons(&show->kernel, IN_LBR);
}

static json_t *interfaces(const struct show *show)
{
	return report_interfaces(&show->kernel);
}

static const struct {
	const char *name;
	json_t *(*rows)(const struct show *show);
	bool summary; /* also without being asked for by name */
} sections[] = {
	{"interfaces", interfaces, true}, {"services", services, true},
	{"backends", backends, true},	  {"flows", flows, false},
	{"next-hops", next_hops, false},  {"reasons", reasons, true},
};
#define SECTIONS (sizeof(sections) / sizeof(sections[0]))

static int show_print(const struct show *show, const char *only, bool json)
{
	json_t *root = json_object();
	size_t i;

	if (!only)
		report_head(&show->kernel, root);
	for (i = 0; i < SECTIONS; i++) {
		if (only ? strcmp(sections[i].name, only)
			 : !sections[i].summary)
			continue;
		json_object_set_new(root, sections[i].name,
				    sections[i].rows(show));
	}
	return output_print(root, json) ? EXIT_FAILED : EXIT_DONE;
}

static bool section_exists(const char *name)
{
	size_t i;

	for (i = 0; i < SECTIONS; i++) {
		if (!strcmp(sections[i].name, name))
			return true;
	}
	return false;
}

int lbr_show(const struct role *role, int argc, char **argv)
{
	const struct verb *verb = cli_verb(role, "show");
	struct fault fault_is = {0};
	struct options options;
	struct show show = {0};
	int rc;

	if (options_parse(role, verb, argc, argv, "j", 1, &options))
		return EXIT_USAGE;
	if (options.argument && !section_exists(options.argument)) {
		fprintf(stderr,
			"lbr: cannot show '%s': no such thing\n"
			"  usage: lbr show %s\n",
			options.argument, verb->arguments);
		return EXIT_USAGE;
	}
	rc = kernel_open(&show.kernel, role, false, &fault_is) ?:
		     kernel_attachments(&show.kernel, &fault_is) ?:
		     running_read(&show.kernel,
				  generation_current(&show.kernel),
				  &show.running, &fault_is);
	if (!rc && counts_read(&show))
		rc = fault(&fault_is, "cannot read the counters");
	rc = rc ? cli_failed(role, &fault_is)
		: show_print(&show, options.argument, options.json);
	running_free(&show.running);
	free(show.counts);
	kernel_close(&show.kernel);
	return rc;
}
