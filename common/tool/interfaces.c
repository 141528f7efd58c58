// SPDX-License-Identifier: GPL-2.0-only
/*
 * interfaces.c - the list of MAC addresses that the program takes frames for
 *
 * The program reads the list while it is written. So what stays keeps its
 * place or moves towards the front, and what is new comes last: there is no
 * moment at which an address that stays is not in the list.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/core/address.h"
#include "common/tool/cli.h"
#include "common/tool/config.h"
#include "common/tool/interfaces.h"
#include "common/tool/netlink.h"
#include "common/tool/vlans.h"

struct list {
	struct interface entries[MAX_INTERFACES];
	__u32 count;
	bool full; /* there were more */
};

static void list_add(struct list *list, const struct interface *entry)
{
	if (list->count == MAX_INTERFACES)
		list->full = true;
	else
		list->entries[list->count++] = *entry;
}

static struct interface *list_find(struct list *list,
				   const struct interface *entry)
{
	__u32 i;

	for (i = 0; i < list->count; i++) {
		if (list->entries[i].ifindex == entry->ifindex &&
		    !memcmp(list->entries[i].mac, entry->mac,
			    sizeof(entry->mac)))
			return &list->entries[i];
	}
	return NULL;
}

static bool takes(const struct attachment *on, const struct link *link)
{
	return link->ifindex == on->ifindex ||
	       (link->lower == on->ifindex && !strcmp(link->kind, "macvlan"));
}

/* What the kernel itself would send from there: the first of each family. */
static void own_addresses(struct interface *entry,
			  const struct link_address *addresses, int count)
{
	int i, family;

	for (i = 0; i < count; i++) {
		const struct addr *address = &addresses[i].address;

		if (addresses[i].ifindex != (int)entry->device ||
		    !addr_is_usual(address))
			continue;
		family = addr_is_ipv4(address) ? 0 : 1;
		if (!entry->own[family].w[3])
			entry->own[family] = *address;
	}
}

/* The rows of one attachment: each of its MAC addresses, each way in. */
static void list_attachment(struct list *list, const struct attachment *on,
			    const struct link *links, int count,
			    const struct link_address *addresses,
			    int address_count)
{
	struct interface entry = {.device = (__u32)on->ifindex};
	const char *kind = "";
	int mac, way;

	/* Until `auto` is decided, the careful one. */
	entry.generic = on->mode != MODE_NATIVE;
	memcpy(entry.name, on->name, sizeof(entry.name));
	own_addresses(&entry, addresses, address_count);
	for (way = 0; way < count; way++) {
		if (links[way].ifindex == on->ifindex)
			kind = links[way].kind;
	}
	for (mac = 0; mac < count; mac++) {
		if (!takes(on, &links[mac]))
			continue;
		memcpy(entry.mac, links[mac].mac, sizeof(entry.mac));
		for (way = 0; way < count; way++) {
			entry.ifindex = (__u32)links[way].ifindex;
			if (comes_by(on, kind, &links[way]))
				list_add(list, &entry);
		}
	}
}

/* What comes for the VLAN devices above attachments; as many as fit. */
static void list_vlans(struct list *list, const struct kernel *kernel,
		       const struct link *links, int count,
		       const struct link_address *addresses, int address_count)
{
	struct vlan_device *devices = NULL;
	int found = vlan_devices(links, count, &devices), i;
	struct fault said;

	for (i = 0; i < found; i++) {
		struct interface entry = {
			.ifindex = (__u32)devices[i].ifindex,
			.device = (__u32)devices[i].ifindex,
		};

		if (!vlan_seen_by(kernel, &devices[i]))
			continue;
		if (list->count == MAX_INTERFACES) {
			fault(&said,
			      "%s is not served: more than %d MAC "
			      "addresses are to be listened to",
			      devices[i].name, MAX_INTERFACES);
			cli_warn(kernel->role, &said);
			break;
		}
		memcpy(entry.name, devices[i].name, sizeof(entry.name));
		memcpy(entry.mac, devices[i].mac, sizeof(entry.mac));
		own_addresses(&entry, addresses, address_count);
		list_add(list, &entry);
	}
	free(devices);
}

/* As it should be, in any order. */
static int list_wanted(const struct kernel *kernel, struct list *wanted,
		       struct fault *fault_out)
{
	struct link_address *addresses = NULL;
	struct link *links = NULL;
	int count = links_read(&links, fault_out), i, address_count = 0;

	if (count >= 0)
		address_count = addresses_read(&addresses, fault_out);
	for (i = 0; address_count >= 0 && i < kernel->attachment_count; i++)
		list_attachment(wanted, &kernel->attachments[i], links, count,
				addresses, address_count);
	if (address_count >= 0 && !wanted->full)
		list_vlans(wanted, kernel, links, count, addresses,
			   address_count);
	free(links);
	free(addresses);
	if (count < 0 || address_count < 0)
		return -1;
	if (!wanted->full)
		return 0;
	return fault(fault_out,
		     "cannot attach: more than %d MAC addresses are to be "
		     "listened to",
		     MAX_INTERFACES);
}

static int vlans_put(const struct kernel *kernel, struct fault *fault_out)
{
	struct link *links;
	int count = links_read(&links, fault_out), rc;

	if (count < 0)
		return -1;
	rc = vlans_write(kernel, links, count, fault_out);
	free(links);
	return rc;
}

int interfaces_lack(const struct kernel *kernel, struct interface *missing,
		    struct fault *fault_out)
{
	struct list wanted = {.count = 0}, there = {.count = 0};
	int map = kernel_map(kernel, "interfaces");
	struct interface entry;
	__u32 key;

	for (key = 0; map >= 0 && key < MAX_INTERFACES; key++) {
		if (bpf_map_lookup_elem(map, &key, &entry) || !entry.ifindex)
			break;
		list_add(&there, &entry);
	}
	if (map >= 0)
		close(map);
	if (list_wanted(kernel, &wanted, fault_out))
		return -1;
	for (key = 0; key < wanted.count; key++) {
		if (list_find(&there, &wanted.entries[key]))
			continue;
		*missing = wanted.entries[key];
		return 1;
	}
	return 0;
}

int interfaces_write(struct kernel *kernel, struct fault *fault_out)
{
	struct list wanted = {.count = 0}, next = {.count = 0};
	int map = kernel_map(kernel, "interfaces"), rc;
	struct interface entry, *found;
	__u32 key;

	rc = list_wanted(kernel, &wanted, fault_out)
		     ?: vlans_put(kernel, fault_out);
	for (key = 0; !rc && key < MAX_INTERFACES; key++) {
		if (bpf_map_lookup_elem(map, &key, &entry) || !entry.ifindex)
			break;
		found = list_find(&wanted, &entry);
		if (found && !list_find(&next, &entry))
			list_add(&next, found);
	}
	for (key = 0; !rc && key < wanted.count; key++) {
		if (!list_find(&next, &wanted.entries[key]))
			list_add(&next, &wanted.entries[key]);
	}
	for (key = 0; !rc && key < MAX_INTERFACES; key++) {
		if (bpf_map_update_elem(map, &key, &next.entries[key], BPF_ANY))
			rc = fault(fault_out, "cannot write interfaces: %s",
				   strerror(errno));
	}
	if (map >= 0)
		close(map);
	return rc;
}
