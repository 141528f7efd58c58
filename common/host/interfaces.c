// SPDX-License-Identifier: GPL-2.0-only
/*
 * interfaces.c - the list of MAC addresses for which the program takes frames
 *
 * The program reads the list while it is written. So a row that stays keeps its
 * index or moves to the front, and new rows come last: an address that stays is
 * in the list at every moment.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/host/interfaces.h"
#include "common/host/vlans.h"
#include "common/net/netlink.h"

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

/* What the rows are made from. */
struct host {
	const struct config *config; /* its VIPs; NULL: not known */
	struct link *links;
	struct link_address *addresses;
	int count, address_count;
};

static bool takes(const struct attachment *on, const struct link *link)
{
	return link->ifindex == on->ifindex ||
	       (link->lower == on->ifindex && !strcmp(link->kind, "macvlan"));
}

static bool is_vip(const struct config *config, const struct addr *address)
{
	size_t i;

	for (i = 0; config && i < config->service_count; i++) {
		if (!memcmp(&config->services[i].vip, address,
			    sizeof(*address)))
			return true;
	}
	return false;
}

/*
 * The kernel's own source address there: the first of each family that is no
 * VIP, because the backends have the VIPs, too.
 */
static void own_addresses(struct interface *entry, const struct host *host)
{
	int i, family;

	for (i = 0; i < host->address_count; i++) {
		const struct addr *address = &host->addresses[i].address;

		if (host->addresses[i].ifindex != (int)entry->device ||
		    !addr_is_host(address) || is_vip(host->config, address))
			continue;
		family = addr_is_v4(address) ? 0 : 1;
		if (!entry->own[family].w[3])
			entry->own[family] = *address;
	}
}

/*
 * On veth, nothing that comes in was merged that the other end could not take
 * whole. Until `auto` is decided, assume the stricter mode.
 */
static __u16 most_of(const struct attachment *on, const struct link *link)
{
	if (on->mode == MODE_NATIVE || !strcmp(link->kind, "veth"))
		return 0;
	return (__u16)(link->mtu < UINT16_MAX ? link->mtu : UINT16_MAX);
}

/* The rows of one attachment: one for each of its MAC addresses and ports. */
static void list_attachment(struct list *list, const struct attachment *on,
			    const struct host *host)
{
	struct interface entry = {.device = (__u32)on->ifindex};
	const struct link *links = host->links;
	int mac, link, count = host->count;
	const char *kind = "";

	/* Until `auto` is decided, assume the stricter one. */
	entry.generic = on->mode != MODE_NATIVE;
	memcpy(entry.name, on->name, sizeof(entry.name));
	own_addresses(&entry, host);
	for (link = 0; link < count; link++) {
		if (links[link].ifindex != on->ifindex)
			continue;
		kind = links[link].kind;
		entry.most = most_of(on, &links[link]);
		memcpy(entry.own_mac, links[link].mac, sizeof(entry.own_mac));
	}
	for (mac = 0; mac < count; mac++) {
		if (!takes(on, &links[mac]))
			continue;
		memcpy(entry.mac, links[mac].mac, sizeof(entry.mac));
		for (link = 0; link < count; link++) {
			entry.ifindex = (__u32)links[link].ifindex;
			if (comes_by(on, kind, &links[link]))
				list_add(list, &entry);
		}
	}
}

/* The VLAN devices above attachments; as many as fit. */
static void list_vlans(struct list *list, const struct kernel *kernel,
		       const struct host *host)
{
	struct vlan_device *devices = NULL;
	int found = vlan_devices(host->links, host->count, &devices), i;
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
			fault_warn(&said);
			break;
		}
		memcpy(entry.name, devices[i].name, sizeof(entry.name));
		memcpy(entry.mac, devices[i].mac, sizeof(entry.mac));
		memcpy(entry.own_mac, entry.mac, sizeof(entry.own_mac));
		own_addresses(&entry, host);
		list_add(list, &entry);
	}
	free(devices);
}

/* The list as it should be, in any order. */
static int list_wanted(const struct kernel *kernel, const struct config *config,
		       struct list *wanted, struct fault *fault_out)
{
	struct host host = {.config = config};
	int i;

	host.count = links_read(&host.links, fault_out);
	if (host.count >= 0)
		host.address_count = addresses_read(&host.addresses, fault_out);
	for (i = 0; host.address_count >= 0 && i < kernel->attachment_count;
	     i++)
		list_attachment(wanted, &kernel->attachments[i], &host);
	if (host.address_count >= 0 && !wanted->full)
		list_vlans(wanted, kernel, &host);
	free(host.links);
	free(host.addresses);
	if (host.count < 0 || host.address_count < 0)
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

static void list_read(struct list *list, int map)
{
	struct interface entry;
	__u32 key;

	for (key = 0; map >= 0 && key < MAX_INTERFACES; key++) {
		if (bpf_map_lookup_elem(map, &key, &entry) || !entry.ifindex)
			break;
		list_add(list, &entry);
	}
}

int interfaces_lack(const struct kernel *kernel, const struct config *config,
		    struct interface *missing, struct fault *fault_out)
{
	struct list wanted = {.count = 0}, there = {.count = 0};
	int map = kernel_map(kernel, "interfaces");
	const struct interface *found;
	__u32 key;

	list_read(&there, map);
	if (map >= 0)
		close(map);
	if (list_wanted(kernel, config, &wanted, fault_out))
		return -1;
	for (key = 0; key < wanted.count; key++) {
		found = list_find(&there, &wanted.entries[key]);
		if (found &&
		    (!config || !memcmp(found->own, wanted.entries[key].own,
					sizeof(found->own))))
			continue;
		*missing = wanted.entries[key];
		return found ? INTERFACES_SOURCE : INTERFACES_MAC;
	}
	return 0;
}

static void say_own(const struct interface *before,
		    const struct interface *after)
{
	static const char *const families[] = {"IPv4", "IPv6"};
	char was[INET6_ADDRSTRLEN], is[INET6_ADDRSTRLEN];
	int i;

	for (i = 0; i < 2; i++) {
		const struct addr *old = &before->own[i], *new = &after->own[i];

		if (memcmp(old, new, sizeof(*old)))
			printf("%s: %s is sent from %s, not %s\n", after->name,
			       families[i],
			       new->w[3] ? addr_text(new, is) : "nowhere",
			       old->w[3] ? addr_text(old, was) : "nowhere");
	}
}

/* What has changed on the host, and is now in the list, too. */
static void say_changes(struct list *before, struct list *after)
{
	const struct interface *each, *old;
	char text[18];
	__u32 i;

	for (i = 0; i < after->count; i++) {
		each = &after->entries[i];
		old = list_find(before, each);
		if (!old)
			printf("%s: frames for %s are taken\n", each->name,
			       mac_text(each->mac, text));
		else if (!i || each->device != after->entries[i - 1].device)
			say_own(old, each);
	}
	for (i = 0; i < before->count; i++) {
		if (!list_find(after, &before->entries[i]))
			printf("%s: frames for %s are no longer taken\n",
			       before->entries[i].name,
			       mac_text(before->entries[i].mac, text));
	}
}

/*
 * For a device that is listed already: keeps the addresses, because the VIPs
 * are not known.
 */
static void own_keep(struct list *wanted, const struct list *there)
{
	__u32 i, j;

	for (i = 0; i < wanted->count; i++) {
		for (j = 0; j < there->count; j++) {
			if (there->entries[j].device ==
			    wanted->entries[i].device)
				memcpy(wanted->entries[i].own,
				       there->entries[j].own,
				       sizeof(there->entries[j].own));
		}
	}
}

static int list_write(int map, const struct list *list, struct fault *fault_out)
{
	__u32 key;

	for (key = 0; key < MAX_INTERFACES; key++) {
		if (bpf_map_update_elem(map, &key, &list->entries[key],
					BPF_ANY))
			return fault(fault_out, "cannot write interfaces: %s",
				     strerror(errno));
	}
	return 0;
}

/* *next: of `there` what the file wants, in the same order; then the rest. */
static int list_next(const struct kernel *kernel, const struct config *config,
		     struct list *there, struct list *next,
		     struct fault *fault_out)
{
	struct list wanted = {.count = 0};
	const struct interface *found;
	__u32 key;

	if (list_wanted(kernel, config, &wanted, fault_out))
		return -1;
	if (!config)
		own_keep(&wanted, there);
	for (key = 0; key < there->count; key++) {
		found = list_find(&wanted, &there->entries[key]);
		if (found && !list_find(next, found))
			list_add(next, found);
	}
	for (key = 0; key < wanted.count; key++) {
		if (!list_find(next, &wanted.entries[key]))
			list_add(next, &wanted.entries[key]);
	}
	return 0;
}

int interfaces_differ(const struct kernel *kernel, const struct config *config,
		      struct fault *fault_out)
{
	struct list there = {.count = 0}, next = {.count = 0};
	int map = kernel_map(kernel, "interfaces");

	list_read(&there, map);
	if (map >= 0)
		close(map);
	if (list_next(kernel, config, &there, &next, fault_out))
		return -1;
	say_changes(&there, &next);
	return 0;
}

int interfaces_write(struct kernel *kernel, const struct config *config,
		     struct fault *fault_out)
{
	struct list there = {.count = 0}, next = {.count = 0};
	int map = kernel_map(kernel, "interfaces"), rc;

	list_read(&there, map);
	rc = list_next(kernel, config, &there, &next, fault_out)
		     ?: vlans_put(kernel, fault_out);
	if (!rc && memcmp(&next, &there, sizeof(next))) {
		rc = list_write(map, &next, fault_out);
		/* `up` prints what it attaches to, and `down -i` what stays. */
		if (!rc && (kernel->again || (config && !kernel->object)))
			say_changes(&there, &next);
	}
	if (map >= 0)
		close(map);
	return rc;
}
