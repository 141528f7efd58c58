// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor.c - what doctor looks at on a load balancer
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/read.h"
#include "common/config/write.h"
#include "common/config/endpoint.h"
#include "common/config/transition.h"
#include "common/core/abi_services.h"

/* How many backends of a service differ from the file. */
static int differing(const struct running *running,
		     const struct running_service *service,
		     const struct config_service *from)
{
	const struct backend *backend;
	int count = 0;
	size_t i;

	for (i = 0; i < from->backend_count; i++) {
		const struct config_backend *wanted = &from->backends[i];

		backend = running_backend(running, service->service.id,
					  &wanted->address);
		count += !backend || backend->state == BACKEND_REMOVING ||
			 backend->weight != wanted->weight ||
			 backend->override & OVERRIDE_STATE;
	}
	return count;
}

static void look_running(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	const struct config_service *from = doctor->config.services;
	const struct running_service *service;
	struct running running;
	struct fault said;
	char digest[DIGEST_TEXT];
	int differ = 0;
	size_t i;

	if (look_digest(doctor))
		return;
	if (running_read(kernel, generation_current(kernel), &running, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	for (i = 0; i < doctor->config.service_count; i++, from++) {
		service = running_service_for(&running, from);
		differ += service ? differing(&running, service, from) : 1;
	}
	running_free(&running);
	if (!differ) {
		report(doctor, HEALTH_OK, "as %s says, digest %s", doctor->path,
		       digest_text(doctor->config.digest, digest));
		return;
	}
	report(doctor, HEALTH_WARN,
	       "%d backends run otherwise than %s says, set by hand", differ,
	       doctor->path);
	mend(doctor, "lbr apply %s", doctor->path);
}

/* Reports a sysctl of an interface that is not `right`. */
static void expect(struct doctor *doctor, const char *path, int right,
		   const char *what)
{
	int is = sysctl_number("%s", path);

	if (is < 0 || is == right)
		return;
	report(doctor, HEALTH_FAIL, "%s is %d: %s", path, is, what);
	mend(doctor, "sysctl -w %s=%d", path, right);
}

static void forwarding_ipv6(struct doctor *doctor, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "net/ipv6/conf/%.15s/forwarding", name);
	expect(doctor, path, 1, "bpf_fib_lookup() refuses");
	if (sysctl_number("net/ipv6/conf/all/forwarding") == 1)
		return;
	snprintf(path, sizeof(path), "net/ipv6/conf/%.15s/force_forwarding",
		 name);
	if (sysctl_number("%s", path) < 0)
		snprintf(path, sizeof(path), "net/ipv6/conf/all/forwarding");
	expect(doctor, path, 1,
	       "the kernel forwards no packet whose next hop is unresolved");
}

static void look_forwarding(struct doctor *doctor)
{
	const char *const *name;
	char path[128];

	for (name = doctor->names; *name; name++) {
		snprintf(path, sizeof(path), "net/ipv4/conf/%.15s/forwarding",
			 *name);
		if (doctor_serves(doctor, false))
			expect(doctor, path, 1, "bpf_fib_lookup() refuses");
		if (doctor_serves(doctor, true))
			forwarding_ipv6(doctor, *name);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "%s: forwards", doctor->names[0]);
}

static void look_redirects(struct doctor *doctor)
{
	static const char why[] = "one redirect takes the VIP away from a "
				  "client for 300 s";
	const char *const *name;
	char path[128];

	if (doctor_serves(doctor, false))
		expect(doctor, "net/ipv4/conf/all/send_redirects", 0, why);
	for (name = doctor->names; *name; name++) {
		snprintf(path, sizeof(path),
			 "net/ipv4/conf/%.15s/send_redirects", *name);
		if (doctor_serves(doctor, false))
			expect(doctor, path, 0, why);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "%s: sends no ICMP redirects",
		       doctor->names[0]);
}

static void look_flows(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	struct flow_table table;
	size_t i, used = 0;

	if (flows_open(&table, kernel_map(kernel, "flows"))) {
		report(doctor, HEALTH_UNKNOWN, "the flow table cannot be read");
		return;
	}
	for (i = 0; i < table.ways; i++)
		used += flow_is_remembered(&table.flows[i]);
	/* Twice as many ways as flow-table-size, in buckets of four. */
	if (used <= table.ways / 2) {
		report(doctor, HEALTH_OK, "%zu flows remembered, room for %zu",
		       used, table.ways / 2);
	} else {
		report(doctor, HEALTH_WARN,
		       "%zu flows remembered, room for %zu: the oldest are "
		       "forgotten soon",
		       used, table.ways / 2);
		mend(doctor,
		     "sed -i -e '/^flow-table-size:/d' -e '$a "
		     "flow-table-size: %zu' %s && lbr up -c %s",
		     used * 2, doctor->path, doctor->path);
	}
	flow_table_close(&table);
}

/* When one ends only the backends can say. */
static void look_transitions(struct doctor *doctor)
{
	const struct config_service *service = doctor->config.services;
	char text[64], whose[TRANSITION_TEXT];
	size_t i;

	for (i = 0; i < doctor->config.service_count; i++, service++) {
		if (!is_in_transition(service) || !has_second_chance(service))
			continue;
		report(doctor, HEALTH_OK,
		       "%s/%s: the transition of %s ends when all backends "
		       "have moved-flows 0 (bkd show restores)",
		       endpoint_text(&service->vip, service->port, text),
		       protocol_name(service->protocol),
		       transition_text(service, whose));
	}
	if (doctor->is_up)
		overdue_look(doctor);
	if (!doctor->said)
		report(doctor, HEALTH_OK, "no service is in transition");
}

const struct examination lbr_examinations[] = {
	EXAMINATIONS_FIRST,
	{"running", "what runs is what the file says", NEEDS_BOTH,
	 look_running},
	{"nat", "lbr_nat is attached, if the file has services by nat",
	 NEEDS_BOTH, look_nat},
	{"waiting",
	 "lbr_waiting is attached, if the file has services by l2 "
	 "or ipip",
	 NEEDS_BOTH, look_waiting},
	EXAMINE_TRACE,
	{"transitions", "whose changes wait for flows at backends", NEEDS_FILE,
	 look_transitions},
	{"forwarding", "the kernel forwards what comes in by the interface",
	 NEEDS_BOTH, look_forwarding},
	{"redirects", "the kernel sends clients no ICMP redirects", NEEDS_BOTH,
	 look_redirects},
	EXAMINE_RP_FILTER,
	EXAMINE_BRIDGE,
	{"firewall", "no rule drops what the kernel forwards to backends",
	 NEEDS_NOTHING, look_firewall},
	{"vips", "packets for the VIPs come to this host", NEEDS_UP, look_vips},
	{"announced",
	 "lbr announces each VIP, if the file says so, and a neighbour has it",
	 NEEDS_BOTH, look_announced},
	{"own-vips",
	 "a VIP that is an address of this host does not cut it off",
	 NEEDS_FILE, look_own_vips},
	{"claims", "nobody else answers by ARP or ND for a VIP that is claimed",
	 NEEDS_BOTH, look_claims},
	{"next-hops",
	 "every backend has a route, and its next hop a MAC address that is "
	 "kept fresh",
	 NEEDS_BOTH, look_next_hops},
	{"mtu", "the paths to the backends take what clients send", NEEDS_BOTH,
	 look_mtu},
	{"drops", "no packet for a service is dropped at the moment", NEEDS_UP,
	 look_drops},
	{"workers",
	 "no request to workers waits for long, and servers say when they are "
	 "done",
	 NEEDS_BOTH, look_workers},
	{"flows", "the flow table has room", NEEDS_UP, look_flows},
	{"run", "lbr run is alive, if the file has health checks", NEEDS_FILE,
	 look_run},
	{"services", "each service has a backend that is up and does not drain",
	 NEEDS_BOTH, look_services},
	{"answers", "each backend answers through the path", NEEDS_FILE,
	 look_answers},
	{0},
};
