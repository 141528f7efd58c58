/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vlans.h - VLAN devices: what comes in by which, and how it leaves by one
 */
#pragma once

#include "common/kernel/kernel.h"
#include "common/net/netlink.h"

struct vlan_device {
	int ifindex;
	int port; /* ifindex of what it stands on, below all tags */
	struct vlan vlan;
	char name[IF_NAMESIZE];
	__u8 mac[6];
};

/* Out of all links. *list is to be freed. Their number; -1: no memory. */
int vlan_devices(const struct link *links, int count,
		 struct vlan_device **list);

/*
 * Does the program see this device's frames before it does? With their tags,
 * in native mode, on the interface below it. Returns that one, or NULL.
 */
const struct attachment *vlan_seen_by(const struct kernel *kernel,
				      const struct vlan_device *device);

/* Does a frame for the attachment come in by this link? */
bool comes_by(const struct attachment *on, const char *kind,
	      const struct link *link);

/* Writes the maps `vlans` and, where there is one, `vlan_ports`. 0 or -1. */
int vlans_write(const struct kernel *kernel, const struct link *links,
		int count, struct fault *fault);

/*
 * Appends to `names` (of MAX_INTERFACES + 1, ended by NULL) those of the VLAN
 * devices whose frames the program sees. To be freed: *list.
 */
int vlan_names(const struct kernel *kernel, const char **names,
	       struct vlan_device **list, struct fault *fault);

/* Where tags are lost before the program could see them. */
void vlans_faults(const struct kernel *kernel,
		  void (*say)(void *data, const struct fault *fault),
		  void *data);
/* Says so on stderr. */
void vlans_warn(const struct kernel *kernel);
