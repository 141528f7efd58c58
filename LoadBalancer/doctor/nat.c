// SPDX-License-Identifier: GPL-2.0-only
/*
 * nat.c - is lbr_nat where it takes packets from xdp_lbr?
 */
#include <stdlib.h>

#include "LoadBalancer/doctor/doctor.h"
#include "LoadBalancer/host/nat.h"
#include "common/host/vlans.h"
#include "common/kernel/clsact.h"

void look_nat(struct doctor *doctor)
{
	struct kernel *kernel = &doctor->kernel;
	const char *names[MAX_INTERFACES + 1] = {NULL};
	struct vlan_device *vlans = NULL;
	struct fault said;
	int i;

	if (!nat_is_wanted(&doctor->config)) {
		report(doctor, HEALTH_OK, "no service is by nat");
		return;
	}
	for (i = 0; i < kernel->attachment_count; i++)
		names[i] = kernel->attachments[i].name;
	if (vlan_names(kernel, names, &vlans, &said)) {
		report(doctor, HEALTH_UNKNOWN, "%s", said.cause);
		return;
	}
	for (i = 0; names[i]; i++) {
		if (clsact_attached(names[i], CLSACT_IN)) {
			report(doctor, HEALTH_OK, "%s: lbr_nat", names[i]);
			continue;
		}
		report(doctor, HEALTH_FAIL,
		       "%s: lbr_nat is missing behind xdp_lbr (clsact): no "
		       "packet by nat is translated",
		       names[i]);
		mend(doctor, "lbr apply %s", doctor->path);
	}
	free(vlans);
}
