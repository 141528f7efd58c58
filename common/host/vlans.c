// SPDX-License-Identifier: GPL-2.0-only
/*
 * vlans.c - VLAN devices, as two maps
 *
 * The programs read the maps while they are written: new rows are added first,
 * old ones removed last.
 */
#include "common/host/vlans.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/abi_packets.h"
#include "common/core/vlan.h"
#include "common/kernel/map_replace.h"
#include "common/net/device.h"

static const struct link *link_of(const struct link *links, int count,
				  int ifindex)
{
	int i;

	for (i = 0; i < count; i++) {
		if (links[i].ifindex == ifindex)
			return &links[i];
	}
	return NULL;
}

static bool is_vlan(const struct link *link)
{
	return link && !strcmp(link->kind, "vlan");
}

static __u16 tag_of(const struct link *link)
{
	return tag_read(link->vlan_protocol, bpf_htons(link->vlan_id));
}

int vlan_devices(const struct link *links, int count, struct vlan_device **list)
{
	const struct link *link, *below;
	struct vlan_device *next;
	int i, found = 0;

	*list = calloc((size_t)count + 1, sizeof(**list));
	for (i = 0; *list && i < count; i++) {
		link = &links[i];
		if (!is_vlan(link))
			continue;
		next = &(*list)[found];
		memset(next, 0, sizeof(*next));
		next->ifindex = link->ifindex;
		next->port = link->lower;
		next->vlan.outer = tag_of(link);
		below = link_of(links, count, link->lower);
		if (is_vlan(below)) {
			next->vlan.inner = next->vlan.outer;
			next->vlan.outer = tag_of(below);
			next->port = below->lower;
			below = link_of(links, count, below->lower);
		}
		if (!below || is_vlan(below)) /* elsewhere, or a third tag */
			continue;
		memcpy(next->name, link->name, sizeof(next->name));
		memcpy(next->mac, link->mac, sizeof(next->mac));
		found++;
	}
	return *list ? found : -1;
}

const struct attachment *vlan_seen_by(const struct kernel *kernel,
				      const struct vlan_device *device)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		if (on->ifindex == device->port && on->mode != MODE_GENERIC)
			return on;
	}
	return NULL;
}

/* On a bond, a native program runs on its legs, a generic one on the bond. */
bool comes_by(const struct attachment *on, const char *kind,
	      const struct link *link)
{
	return link->ifindex == on->ifindex ||
	       (link->master == on->ifindex && on->mode != MODE_GENERIC &&
		!strcmp(kind, "bond"));
}

struct rows {
	struct vlan_key keys[MAX_VLANS];
	__u32 devices[MAX_VLANS];
	int count;
	bool full; /* there were more */
};

static void rows_add(struct rows *rows, __u32 port, const struct vlan *vlan,
		     int device)
{
	if (rows->count == MAX_VLANS) {
		rows->full = true;
		return;
	}
	rows->keys[rows->count] = (struct vlan_key){port, *vlan};
	rows->devices[rows->count++] = (__u32)device;
}

/* A row for each port of each device that the program serves. */
static void rows_in(struct rows *rows, const struct kernel *kernel,
		    const struct vlan_device *devices, int device_count,
		    const struct link *links, int count)
{
	const struct attachment *on;
	const struct link *port;
	int i, link;

	for (i = 0; i < device_count; i++) {
		on = vlan_seen_by(kernel, &devices[i]);
		port = link_of(links, count, devices[i].port);
		for (link = 0; on && port && link < count; link++) {
			if (comes_by(on, port->kind, &links[link]))
				rows_add(rows, (__u32)links[link].ifindex,
					 &devices[i].vlan, devices[i].ifindex);
		}
	}
}

/* Every VLAN device of the host, attached below it or not. */
static int ports_write(const struct kernel *kernel,
		       const struct vlan_device *devices, int count)
{
	int map = kernel_map(kernel, "vlan_ports"), i, rc = -1;
	__u32 *keys = calloc((size_t)count + 1, sizeof(*keys));
	struct vlan_port *values = calloc((size_t)count + 1, sizeof(*values));

	if (map < 0) { /* xdp_bkd sends nothing */
		rc = 0;
	} else if (keys && values) {
		if (count > MAX_VLANS)
			count = MAX_VLANS;
		for (i = 0; i < count; i++) {
			keys[i] = (__u32)devices[i].ifindex;
			values[i] = (struct vlan_port){(__u32)devices[i].port,
						       devices[i].vlan};
		}
		rc = map_replace(map, keys, sizeof(*keys), values,
				 sizeof(*values), count);
	}
	free(keys);
	free(values);
	return rc;
}

int vlans_write(const struct kernel *kernel, const struct link *links,
		int count, struct fault *fault_out)
{
	struct vlan_device *devices = NULL;
	struct rows *rows = calloc(1, sizeof(*rows));
	int found = vlan_devices(links, count, &devices), rc = -1;
	struct fault said;

	if (found >= 0 && rows) {
		rows_in(rows, kernel, devices, found, links, count);
		rc = ports_write(kernel, devices, found);
		rc = rc
			     ?: map_replace(
					kernel_map(kernel, "vlans"), rows->keys,
					sizeof(*rows->keys), rows->devices,
					sizeof(*rows->devices), rows->count);
		if (rows->full || found > MAX_VLANS) {
			fault(&said,
			      "of more than %d VLAN devices, only so "
			      "many are served",
			      MAX_VLANS);
			fault_warn(&said);
		}
	}
	free(devices);
	free(rows);
	return rc ? fault(fault_out, "cannot write VLAN devices: %s",
			  strerror(errno))
		  : 0;
}

int vlan_names(const struct kernel *kernel, const char **names,
	       struct vlan_device **list, struct fault *fault_out)
{
	struct link *links;
	int count = links_read(&links, fault_out), found, i, n = 0;

	*list = NULL;
	if (count < 0)
		return -1;
	found = vlan_devices(links, count, list);
	free(links);
	while (names[n])
		n++;
	for (i = 0; i < found && n < MAX_INTERFACES; i++) {
		if (vlan_seen_by(kernel, &(*list)[i]))
			names[n++] = (*list)[i].name;
	}
	names[n] = NULL;
	return 0;
}

static bool stands_below(const struct attachment *on,
			 const struct vlan_device *devices, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (devices[i].port == on->ifindex)
			return true;
	}
	return false;
}

void vlans_faults(const struct kernel *kernel,
		  void (*say)(void *data, const struct fault *fault),
		  void *data)
{
	struct vlan_device *devices = NULL;
	struct fault said;
	struct link *links;
	int count = links_read(&links, &said), found, i;

	if (count < 0)
		return;
	found = vlan_devices(links, count, &devices);
	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		if (!stands_below(on, devices, found))
			continue;
		if (on->mode == MODE_GENERIC) {
			fault(&said,
			      "%s has VLAN devices, whose tags generic "
			      "mode does not see",
			      on->name);
			fault_hint(&said,
				   "%s up -i with each VLAN device, "
				   "and not %s",
				   kernel->role->name, on->name);
			say(data, &said);
		} else if (device_flags(on->name) & ETH_FLAG_RXVLAN) {
			fault(&said,
			      "%s has VLAN devices, and may take tags "
			      "off before XDP sees them",
			      on->name);
			fault_hint(&said,
				   "ethtool -K %s rxvlan off; of a "
				   "veth, txvlan off at its other end",
				   on->name);
			say(data, &said);
		}
	}
	free(devices);
	free(links);
}

static void warn(void *data, const struct fault *said)
{
	(void)data;
	fault_warn(said);
}

void vlans_warn(const struct kernel *kernel)
{
	vlans_faults(kernel, warn, NULL);
}
