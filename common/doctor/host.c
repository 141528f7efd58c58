// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - what else on the host decides about packets
 */
#include <string.h>

#include "common/core/abi_packets.h"
#include "common/doctor/doctor.h"
#include "common/host/change.h"
#include "common/net/routes.h"

/*
 * Some host elsewhere, as a destination behind the default route: from a block
 * for documentation (RFC 5737).
 */
static const struct addr elsewhere = {
	.w = {0, 0, bpf_htonl(0xffff),
	      bpf_htonl(0xcb007101)}}; /* 203.0.113.1 */

/*
 * If strict, the kernel drops a packet that comes in by another interface than
 * the route to its sender leaves by. The stricter of the interface's setting
 * and `all` counts. This matters if replies leave by another interface, or by
 * none.
 */
void look_rp_filter(struct doctor *doctor)
{
	int all = sysctl_number("net/ipv4/conf/all/rp_filter");
	const char *const *name;
	const struct link *link;
	struct next_hop back;
	struct fault ignored;
	int own;

	for (name = doctor->names; *name; name++) {
		own = sysctl_number("net/ipv4/conf/%.15s/rp_filter", *name);
		link = doctor_link(doctor, *name);
		if ((own > all ? own : all) != 1 ||
		    (!route_read(&elsewhere, &back, &ignored) && link &&
		     back.ifindex == link->ifindex))
			continue;
		report(doctor, HEALTH_WARN,
		       "%s: rp_filter is strict: the kernel drops a packet "
		       "whose sender it would reach another way, and the "
		       "default route does not lead out of %s",
		       *name, *name);
		mend(doctor, "sysctl -w net/ipv4/conf/%s/rp_filter=2", *name);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK,
		       "%s: rp_filter is not strict, or does no harm",
		       doctor->names[0]);
}

/* What `run` has left to somebody else, see change_again(). */
void look_settings(struct doctor *doctor)
{
	const struct kernel *kernel = &doctor->kernel;
	struct change change;
	__u32 i;

	for (i = 0; change_read(kernel, i, &change); i++) {
		if (strcmp(change.kind, "left"))
			continue;
		report(doctor, HEALTH_FAIL,
		       "%s: somebody else has set it back twice within %d s",
		       change.what, AGAIN_SECONDS);
		mend(doctor, "%s apply %s, once nobody does",
		     kernel->role->name, doctor->path);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "nobody has set anything back");
}

static bool has_bridge(const struct doctor *doctor)
{
	int i;

	for (i = 0; i < doctor->link_count; i++) {
		if (!strcmp(doctor->links[i].kind, "bridge"))
			return true;
	}
	return false;
}

void look_bridge(struct doctor *doctor)
{
	static const char *const keys[] = {"bridge-nf-call-iptables",
					   "bridge-nf-call-ip6tables"};
	size_t i;

	for (i = 0; has_bridge(doctor) && i < 2; i++) {
		if (sysctl_number("net/bridge/%s", keys[i]) != 1)
			continue;
		report(doctor, HEALTH_WARN,
		       "%s is 1: what a bridge here carries goes through "
		       "iptables' FORWARD",
		       keys[i]);
		mend(doctor, "sysctl -w net/bridge/%s=0", keys[i]);
	}
	if (!doctor->said)
		report(doctor, HEALTH_OK, "no bridge here, or not by iptables");
}
