// SPDX-License-Identifier: GPL-2.0-only
/*
 * show.c - what runs on the load balancer, and what it has counted
 */
#include <arpa/inet.h>
#include <errno.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/host/devices.h"
#include "LoadBalancer/host/path_mtus.h"
#include "LoadBalancer/verbs/show.h"
#include "LoadBalancer/verbs/verbs.h"
#include "common/base/json.h"
#include "common/base/reason.h"
#include "common/cli/report.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/net/netlink.h"
#include "common/net/routes.h"

static int show_read(const struct kernel *kernel, struct show *show,
		     struct fault *fault_out)
{
	show->counts = NULL;
	if (running_read(kernel, generation_current(kernel), &show->running,
			 fault_out))
		return -1;
	show->counts = running_counts(kernel, &show->running);
	if (show->counts)
		return 0;
	running_free(&show->running);
	return fault(fault_out, "cannot read the counters");
}

static void show_free(struct show *show)
{
	running_free(&show->running);
	free(show->counts);
}

static json_t *flow_row(const struct show *show, const struct flow_key *key,
			const struct flow *flow)
{
	const struct running_service *service =
		running_service_of(&show->running, key->service);
	const struct backend *backend =
		&show->running.backends[flow->backend % BACKEND_INDEXES];

	if (!service)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o}", "client",
			 json_addr(&key->source), "client-port",
			 json_port(key->source_port), "vip",
			 json_addr(&service->key.vip), "port",
			 json_port(key->port), "protocol",
			 protocol_name(service->key.protocol), "backend",
			 backend->id == (flow->backend & FLOW_BACKEND)
				 ? json_addr(&backend->address)
				 : json_null());
}

static json_t *flows_rows(const struct kernel *kernel, const struct show *show)
{
	json_t *rows = json_array(), *row;
	struct flow_table table;
	size_t i;

	if (!flow_table_open(&table, kernel_map(kernel, "flows"),
			     kernel_map(kernel, "flow_keys"))) {
		for (i = 0; i < table.ways; i++) {
			if (!flow_is_remembered(&table.flows[i]))
				continue;
			row = flow_row(show, &table.keys[i], &table.flows[i]);
			if (row)
				json_array_append_new(rows, row);
		}
	}
	flow_table_close(&table);
	return rows;
}

/* How the program caches the FIB's answers. */
struct caching {
	const char *by; /* "backend" or "flow"; NULL: not */
	char why[96];	/* "": by backend, as it is to be */
};

static void caching_read(const struct show *show, struct caching *caching)
{
	const struct generation *generation = &show->running.generation;
	char *why = caching->why;
	bool by_flow = routes_by_flow(why, sizeof(caching->why));

	caching->by = generation->next_hops_by_flow ? "flow" : "backend";
	if (!generation->next_hop_age) {
		caching->by = NULL;
		strcpy(why, "next-hop-age is 0");
	} else if (by_flow != generation->next_hops_by_flow) {
		strcpy(why, "not as the routes are now: lbr apply");
	} else if (!by_flow) {
		*why = '\0';
	}
}

static json_t *next_hop_row(const struct backend *backend,
			    const struct next_hop *hop,
			    const struct path_size *size, const char *sender,
			    const struct caching *caching)
{
	char name[IF_NAMESIZE];

	return json_pack(
		"{s:o, s:s?, s:o, s:o, s:s?, s:b, s:s, s:o, s:s?, s:s?, s:o}",
		"backend", json_addr(&backend->address), "interface",
		if_indextoname((unsigned int)hop->ifindex, name), "via",
		hop->ifindex ? json_addr(&hop->via) : json_null(), "mac",
		json_mac(hop->neighbour.mac), "neighbour", hop->neighbour.state,
		"managed", hop->neighbour.managed, "sent-by", sender, "mtu",
		json_nonzero(size->mtu), "mtu-by", size->mtu ? size->by : NULL,
		"cached-by", caching->by, "why", json_text(caching->why));
}

static json_t *next_hops_rows(const struct kernel *kernel,
			      const struct show *show)
{
	json_t *rows = json_array();
	struct caching caching;
	struct device *devices = NULL;
	struct path_size size;
	struct fault ignored;
	int count = devices_read(&devices, &ignored);
	struct next_hop hop;
	size_t i, j;

	caching_read(show, &caching);
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
		size = path_size(kernel, &row->address, row->mtu);
		json_array_append_new(
			rows,
			next_hop_row(row, &hop, &size,
				     device_sender(devices, count, hop.ifindex),
				     &caching));
	}
	free(devices);
	return rows;
}

/* By service and reason, as the rows have them. */
static int by_service(const void *a, const void *b)
{
	json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	static const char *const keys[] = {"vip", "port", "protocol", "reason"};
	int differs = 0;
	size_t i;

	for (i = 0; !differs && i < 4; i++) {
		const json_t *one = json_object_get(x, keys[i]);
		const json_t *other = json_object_get(y, keys[i]);

		if (json_is_string(one))
			differs = strcmp(json_string_value(one),
					 json_string_value(other));
		else /* any port is null, and counts as 0 */
			differs = (int)(json_integer_value(one) -
					json_integer_value(other));
	}
	return differs;
}

static json_t *packets_row(const struct show *show,
			   const struct service_reason *key, __u64 packets)
{
	const struct running_service *service =
		running_service_of(&show->running, key->service);

	if (!service)
		return NULL;
	return json_pack("{s:o, s:o, s:s, s:s, s:I}", "vip",
			 json_addr(&service->key.vip), "port",
			 json_port(service->key.port), "protocol",
			 protocol_name(service->key.protocol), "reason",
			 reason_name(key->reason), "packets",
			 (json_int_t)packets);
}

/* Why packets of each service were not sent to a backend. */
static json_t *service_reasons_rows(const struct kernel *kernel,
				    const struct show *show)
{
	int map = kernel_map(kernel, "service_reasons"), cpu;
	int cpus = kernel_cpus();
	__u64 *each = calloc((size_t)cpus, sizeof(*each)), sum;
	json_t **rows = calloc(SERVICE_REASONS, sizeof(json_t *)), *list;
	struct service_reason key, *last = NULL;
	size_t count = 0, i;

	list = json_array();
	while (each && rows && count < SERVICE_REASONS &&
	       !bpf_map_get_next_key(map, last, &key)) {
		last = &key;
		if (bpf_map_lookup_elem(map, &key, each))
			continue;
		for (cpu = 0, sum = 0; cpu < cpus; cpu++)
			sum += each[cpu];
		rows[count] = packets_row(show, &key, sum);
		count += rows[count] != NULL;
	}
	qsort(rows, count, sizeof(*rows), by_service);
	for (i = 0; i < count; i++)
		json_array_append_new(list, rows[i]);
	free(rows);
	free(each);
	if (map >= 0)
		close(map);
	return list;
}

/* The rows of a section, from what runs now. */
#define SECTION(name, call)                                                    \
	static json_t *name(const struct kernel *kernel,                       \
			    struct fault *fault_out)                           \
	{                                                                      \
		struct show show;                                              \
		json_t *rows;                                                  \
                                                                               \
		if (show_read(kernel, &show, fault_out))                       \
			return NULL;                                           \
		rows = call;                                                   \
		if (!rows)                                                     \
			fault(fault_out, "cannot read the " #name ": %s",      \
			      strerror(errno));                                \
		show_free(&show);                                              \
		return rows;                                                   \
	}

SECTION(services, services_rows(kernel, &show))
SECTION(backends, backends_rows(kernel, &show))
SECTION(flows, flows_rows(kernel, &show))
SECTION(service_reasons, service_reasons_rows(kernel, &show))
SECTION(next_hops, next_hops_rows(kernel, &show))
SECTION(some_workers, workers_rows(kernel, &show))
SECTION(some_queues, queues_rows(kernel, &show))
SECTION(some_waits, waits_rows(kernel, &show))

/* Most hosts have no such service: for them nothing more is read. */
#define OF_WORKERS(name)                                                       \
	static json_t *name(const struct kernel *kernel,                       \
			    struct fault *fault_out)                           \
	{                                                                      \
		return workers_are_there(kernel)                               \
			       ? some_##name(kernel, fault_out)                \
			       : json_array();                                 \
	}

OF_WORKERS(workers)
OF_WORKERS(queues)
OF_WORKERS(waits)
SECTION(nat_sources, nat_sources_rows(kernel))
SECTION(nat_flows, nat_flows_rows(kernel, &show))
SECTION(heartbeats, heartbeats_rows(kernel, &show))

json_t *heartbeats_section(const struct kernel *kernel, struct fault *fault_out)
{
	return heartbeats(kernel, fault_out);
}

const struct section lbr_sections[] = {
	{"interfaces", report_interfaces, true, NULL, NULL},
	{"services", services, true, NULL, NULL},
	{"backends", backends, true, NULL, NULL},
	{"flows", flows, false, NULL, NULL},
	{"next-hops", next_hops, false, NULL, NULL},
	{"workers", workers, true, NULL, "workers"},
	{"queues", queues, true, NULL, "workers"},
	{"waits", waits, true, "count", "workers"},
	{"nat-sources", nat_sources, false, NULL, NULL},
	{"nat-flows", nat_flows, false, NULL, NULL},
	{"heartbeats", heartbeats, false, NULL, NULL},
	{"path-mtus", path_mtus_rows, false, NULL, NULL},
	{"reasons", report_reasons, true, "packets", NULL},
	{"reasons-by-service", service_reasons, false, "packets", "reasons"},
	{0},
};
