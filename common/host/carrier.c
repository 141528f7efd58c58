// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/carrier.h"

#include <net/if.h>
#include <stdio.h>

#include "common/host/change.h"
#include "common/net/routes.h"

static void keep(struct kernel *kernel, const char *format, const char *name)
{
	char path[128], value[8];
	struct fault said;

	snprintf(path, sizeof(path), format, name);
	if (!sysctl_read(path, value, sizeof(value)) &&
	    change_sysctl(kernel, path, "0", &said))
		fault_warn(&said);
}

void carrier_keep(struct kernel *kernel, const struct route_hop *hops,
		  int count)
{
	char name[IF_NAMESIZE];
	int i, j;

	for (i = 0; i < count; i++) {
		for (j = 0; j < i; j++) {
			if (hops[j].ifindex == hops[i].ifindex)
				break;
		}
		if (j < i || !hops[i].ifindex ||
		    !if_indextoname((unsigned)hops[i].ifindex, name))
			continue;
		keep(kernel, "net/ipv4/conf/%s/arp_evict_nocarrier", name);
		keep(kernel, "net/ipv6/conf/%s/ndisc_evict_nocarrier", name);
	}
}
