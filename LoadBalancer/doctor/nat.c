// SPDX-License-Identifier: GPL-2.0-only
/*
 * nat.c - are lbr_nat and lbr_waiting where they take packets from xdp_lbr?
 */
#include <stdlib.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/nat.h"
#include "LoadBalancer/host/waiting.h"
#include "common/host/vlans.h"
#include "common/kernel/clsact.h"

/* `lost`: what is lost without it */
static void look_behind(struct doctor *doctor, enum clsact where,
			const char *program, const char *lost)
{
	struct kernel *kernel = &doctor->kernel;
	const char *names[MAX_INTERFACES + 1] = {NULL};
	struct vlan_device *vlans = NULL;
	struct fault said;
	int i;

	for (i = 0; i < kernel->attachment_count; i++)
		names[i] = kernel->attachments[i].name;
	if (vlan_names(kernel, names, &vlans, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	for (i = 0; names[i]; i++) {
		if (clsact_attached(names[i], where)) {
			report(doctor, HEALTH_OK, "%s: %s", names[i], program);
			continue;
		}
		report(doctor, HEALTH_FAIL,
		       "%s: %s is missing behind xdp_lbr (clsact): %s",
		       names[i], program, lost);
		mend(doctor, "lbr apply %s", doctor->path);
	}
	free(vlans);
}

void look_nat(struct doctor *doctor)
{
	if (nat_is_wanted(&doctor->config))
		look_behind(doctor, CLSACT_IN, "lbr_nat",
			    "no packet by nat is translated");
	else
		report(doctor, HEALTH_OK, "no service is by nat");
}

void look_waiting(struct doctor *doctor)
{
	if (waiting_is_wanted(&doctor->config))
		look_behind(doctor, CLSACT_WAITING, "lbr_waiting",
			    "packets are lost while a next hop has no MAC "
			    "address");
	else
		report(doctor, HEALTH_OK, "no service is by l2 or ipip");
}
