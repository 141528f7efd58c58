/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vlans.h - which VLAN device a frame comes in by, and with which tags it
 * leaves
 */
#pragma once

#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"
#include "common/net/netlink.h"

struct vlan_device {
	int ifindex;
	int port; /* ifindex of the device below all tags */
	struct vlan vlan;
	char name[IF_NAMESIZE];
	__u8 mac[6];
};

/* From all links. *list is to be freed. Returns their number; -1: no memory. */
int vlan_devices(const struct link *links, int count,
		 struct vlan_device **list);

/*
 * Does the program see the frames before this device does, with their tags: in
 * native mode, on the interface below it? Returns that interface, or NULL.
 */
const struct attachment *vlan_seen_by(const struct kernel *kernel,
				      const struct vlan_device *device);

/* Does a frame for the attachment come in by this link? */
bool comes_by(const struct attachment *on, const char *kind,
	      const struct link *link);

/* Writes the maps `vlans` and, if there is one, `vlan_ports`. 0 or -1. */
int vlans_write(const struct kernel *kernel, const struct link *links,
		int count, struct fault *fault);

/*
 * Appends to `names` (of MAX_INTERFACES + 1, ended by NULL) the VLAN devices
 * whose frames the program sees. To be freed: *list.
 */
int vlan_names(const struct kernel *kernel, const char **names,
	       struct vlan_device **list, struct fault *fault);

/* Where tags are lost before the program can see them. */
void vlans_faults(const struct kernel *kernel,
		  void (*say)(void *data, const struct fault *fault),
		  void *data);
/* Prints it on stderr. */
void vlans_warn(const struct kernel *kernel);
