// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/host/nat_ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host/change.h"

#define PORTS	 "net/ipv4/ip_local_port_range"
#define RESERVED "net/ipv4/ip_local_reserved_ports"

/*
 * `list`, and all ports from `first` on, as the kernel writes such a list: in
 * order, and what touches is one range.
 */
static void reserved_with(const char *list, __u32 first, char *out, size_t size)
{
	unsigned int low, high;
	int used, length = 0;

	while (sscanf(list, "%u%n", &low, &used) == 1) {
		list += used;
		high = low;
		if (sscanf(list, "-%u%n", &high, &used) == 1)
			list += used;
		if (high + 1 >= first) {
			first = low < first ? low : first;
			break;
		}
		length += snprintf(out + length, size - length,
				   low == high ? "%u," : "%u-%u,", low, high);
		list += *list == ',';
	}
	snprintf(out + length, size - length, "%u-65535", first);
}

/*
 * The ports that the host has reserved itself, which stay so and are put back:
 * as noted, or as they are.
 */
static int own_ports(const struct kernel *kernel, char *list, size_t size,
		     struct fault *fault_out)
{
	struct change change;

	if (change_find(kernel, "sysctl", RESERVED, &change))
		snprintf(list, size, "%s", change.before);
	else if (sysctl_read(RESERVED, list, size))
		return fault(fault_out, "cannot read sysctl %s: %s", RESERVED,
			     strerror(errno));
	return 0;
}

int nat_ports_refuse(const struct kernel *kernel, __u32 first,
		     struct fault *fault_out)
{
	char list[4096], wanted[sizeof(list) + 16];

	if (own_ports(kernel, list, sizeof(list), fault_out))
		return -1;
	if (strlen(list) < sizeof(((struct change *)NULL)->before))
		return 0;
	reserved_with("", first, wanted, sizeof(wanted));
	fault(fault_out,
	      "cannot reserve the ports %s: the list in sysctl %s is too long "
	      "to be put back",
	      wanted, RESERVED);
	return fault_hint(fault_out, "sysctl -w %s=RANGES, with fewer of them",
			  RESERVED);
}

int nat_ports(struct kernel *kernel, __u32 first, struct fault *fault_out)
{
	char value[128], own[64];
	__u32 lowest = 0;

	if (!sysctl_read(PORTS, value, sizeof(value)))
		lowest = (__u32)strtoul(value, NULL, 10);
	if (lowest >= first) {
		snprintf(value, sizeof(value), "%u\t%u", first / 2, first - 1);
		if (change_sysctl(kernel, PORTS, value, fault_out))
			return -1;
	}
	if (own_ports(kernel, own, sizeof(own), fault_out))
		return -1;
	reserved_with(own, first, value, sizeof(value));
	return change_sysctl(kernel, RESERVED, value, fault_out);
}

bool nat_ports_are(const char *sysctl)
{
	return !strcmp(sysctl, PORTS) || !strcmp(sysctl, RESERVED);
}
