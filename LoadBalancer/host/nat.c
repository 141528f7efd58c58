// SPDX-License-Identifier: GPL-2.0-only
/*
 * nat.c - see nat.h
 *
 * lbr_nat has maps of its own, which are pinned beside xdp_lbr's, so that flows
 * outlive an `up`; the others are xdp_lbr's. The kernel keeps the program as
 * long as it is attached.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/nat.h"
#include "LoadBalancer/host/nat_ports.h"
#include "LoadBalancer/host/nat_rows.h"
#include "common/base/address.h"
#include "common/core/abi_nat.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/host/filters.h"
#include "common/kernel/clsact.h"
#include "common/net/netlink.h"
#include "LoadBalancer/datapath/nat.skel.h"

#define HALF (NAT_SOURCES / 2)

static const char *const own_maps[] = {"nat_rows", "nat_index", "nat_sources",
				       "nat_addresses", NULL};
/* Of each load. */
static const char *const fresh_maps[] = {"parsed",	"nat_handed",  "lines",
					 "icmp_errors", "icmp_shares", NULL};

bool nat_is_wanted(const struct config *config)
{
	size_t i;

	for (i = 0; i < config->service_count; i++) {
		if (method_returns(&config->services[i].method))
			return true;
	}
	return false;
}

int nat_refuse(const struct kernel *kernel, const struct config *config,
	       struct fault *fault_out)
{
	if (!nat_is_wanted(config))
		return 0;
	if (!kernel_can_exchange()) {
		fault(fault_out,
		      "cannot use forward: nat: it needs Linux "
		      "5.12, for which two CPUs can agree on a port");
		return fault_hint(fault_out,
				  "another `forward`, or a newer kernel");
	}
	if (nat_rows_refuse(kernel, config, fault_out) ||
	    nat_ports_refuse(kernel, config->nat_first_port, fault_out))
		return -1;
	return 0;
}

static struct nat_bpf *nat_open(const struct kernel *kernel,
				const struct config *config)
{
	struct nat_bpf *skeleton = nat_bpf__open();
	__u32 rows = nat_rows_wanted(config);
	struct constants constants;

	if (!skeleton)
		return NULL;
	kernel_constants(kernel, &constants);
	*(struct constants *)&skeleton->rodata->constants = constants;
	skeleton->rodata->nat_row_count = rows;
	skeleton->rodata->nat_bucket_count = rows / 4;
	bpf_map__set_max_entries(skeleton->maps.nat_rows, rows);
	bpf_map__set_max_entries(skeleton->maps.nat_index, rows / 4);
	return skeleton;
}

/* fd of the loaded program, or -1 with a fault. */
static int nat_load(const struct kernel *kernel, const struct config *config,
		    struct fault *fault_out)
{
	struct nat_bpf *skeleton = nat_open(kernel, config);
	int program = -1;

	if (skeleton &&
	    !kernel_share_maps(kernel, skeleton->obj, own_maps, fresh_maps) &&
	    !nat_bpf__load(skeleton) &&
	    !kernel_pin_maps(kernel, skeleton->obj, own_maps))
		program = fcntl(bpf_program__fd(skeleton->progs.lbr_nat),
				F_DUPFD_CLOEXEC, 3);
	if (program < 0)
		fault(fault_out, "cannot load lbr_nat: %s", strerror(errno));
	nat_bpf__destroy(skeleton);
	return program;
}

/* The index of the address: where it is, else the first that is free. */
static __u32 index_of(const struct nat_source *sources, __u32 first,
		      const struct addr *address)
{
	static const struct addr none;
	__u32 i, index = NAT_SOURCES;

	for (i = first; i < first + HALF; i++) {
		if (addr_equal(&sources[i].address, address))
			return i;
		if (index == NAT_SOURCES &&
		    addr_equal(&sources[i].address, &none))
			index = i;
	}
	return index;
}

static int sources_fill(struct nat_source *sources, const struct config *config,
			const struct link_address *own, int own_count,
			struct fault *fault_out)
{
	__u32 index, first;
	size_t i;

	for (i = 0; i < NAT_SOURCES; i++)
		sources[i].count = 0;
	for (i = 0; i < config->nat_source_count; i++) {
		const struct addr *address = &config->nat_sources[i].address;

		if (!addresses_have(own, own_count, address))
			continue;
		first = addr_is_v4(address) ? 0 : HALF;
		index = index_of(sources, first, address);
		if (index == NAT_SOURCES)
			return fault(fault_out,
				     "cannot use nat-source: more than %d "
				     "addresses since the first `up`",
				     HALF);
		sources[index].address = *address;
		sources[index].first = (__u16)config->nat_first_port;
		sources[index].count = (__u16)(65536 - config->nat_first_port);
		if (sources[first].together < index - first + 1)
			sources[first].together = index - first + 1;
	}
	return 0;
}

/* Has each family with such a service a source here? */
static int sources_enough(const struct nat_source *sources,
			  const struct config *config, struct fault *fault_out)
{
	__u32 first, i;
	size_t s;

	for (s = 0; s < config->service_count; s++) {
		if (!method_returns(&config->services[s].method))
			continue;
		first = addr_is_v4(&config->services[s].vip) ? 0 : HALF;
		for (i = first; i < first + HALF && !sources[i].count; i++)
			;
		if (i < first + HALF)
			continue;
		fault(fault_out,
		      "cannot use forward: nat: no %s address of nat-source "
		      "is an address of this host",
		      first ? "IPv6" : "IPv4");
		return fault_hint(fault_out,
				  "ip address add ADDRESS dev "
				  "INTERFACE, or nat-source in %s",
				  config->path);
	}
	return 0;
}

static int sources_write(const struct kernel *kernel,
			 const struct config *config, struct fault *fault_out)
{
	struct nat_source sources[NAT_SOURCES] = {0};
	int map = kernel_pinned(kernel, "nat_sources");
	int addresses = kernel_pinned(kernel, "nat_addresses"), count, rc = -1;
	struct link_address *own = NULL;
	__u32 i;

	count = addresses_read(&own, fault_out);
	for (i = 0; map >= 0 && i < NAT_SOURCES; i++)
		bpf_map_lookup_elem(map, &i, &sources[i]);
	if (count >= 0)
		rc = sources_fill(sources, config, own, count, fault_out) ||
		     sources_enough(sources, config, fault_out);
	for (i = 0; !rc && i < NAT_SOURCES; i++) {
		rc = bpf_map_update_elem(map, &i, &sources[i], BPF_ANY);
		if (!rc && sources[i].count)
			rc = bpf_map_update_elem(addresses, &sources[i].address,
						 &i, BPF_ANY);
		if (rc)
			fault(fault_out, "cannot write nat-source: %s",
			      strerror(errno));
	}
	free(own);
	if (map >= 0)
		close(map);
	if (addresses >= 0)
		close(addresses);
	return rc ? -1 : 0;
}

#define PROGRAM "lbr_nat"

static int attach_missing(struct kernel *kernel, const char *name, int program,
			  struct fault *fault_out)
{
	if (clsact_attach(kernel, name, CLSACT_IN, program, fault_out))
		return -1;
	printf("%s: " PROGRAM " attached\n", name);
	return 0;
}

int nat_host(struct kernel *kernel, const struct config *config,
	     const char *const *names, struct fault *fault_out)
{
	bool missing[MAX_INTERFACES] = {false}, is_there = true;
	int program = -1, i, rc = 0;

	if (!nat_is_wanted(config))
		return 0;
	for (i = 0; names[i]; i++) {
		missing[i] =
			filter_is_missing(kernel, names[i], CLSACT_IN, PROGRAM);
		is_there = is_there && !missing[i];
	}
	/* With each new xdp_lbr, for its maps may be other ones. */
	if (kernel->object || !is_there) {
		program = nat_load(kernel, config, fault_out);
		if (program < 0)
			return -1;
	}
	rc = sources_write(kernel, config, fault_out) ||
	     nat_ports(kernel, config->nat_first_port, fault_out);
	for (i = 0; program >= 0 && !rc && names[i]; i++) {
		if (missing[i])
			rc = attach_missing(kernel, names[i], program,
					    fault_out);
		else if (kernel->object)
			rc = clsact_attach(kernel, names[i], CLSACT_IN, program,
					   fault_out);
	}
	if (program >= 0)
		close(program);
	return rc ? -1 : 0;
}

static bool sysctl_is_needed(const char *path, const void *data)
{
	return nat_is_wanted(data) || !nat_ports_are(path);
}

void nat_settle(struct kernel *kernel, const struct config *config)
{
	filters_settle(kernel, CLSACT_IN, PROGRAM, nat_is_wanted(config));
	changes_keep(kernel, "sysctl", sysctl_is_needed, config);
}
