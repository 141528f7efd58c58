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

#include "common/tool/interfaces.h"
#include "common/tool/netlink.h"

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

/* As it should be, in any order. */
static int list_wanted(const struct kernel *kernel, struct list *wanted,
		       struct fault *fault_out)
{
	struct interface entry;
	struct link *links;
	int count = links_read(&links, fault_out), i, j;

	if (count < 0)
		return -1;
	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *on = &kernel->attachments[i];

		for (j = 0; j < count; j++) {
			if (!takes(on, &links[j]))
				continue;
			memset(&entry, 0, sizeof(entry));
			entry.ifindex = (__u32)on->ifindex;
			/* Until `auto` is decided, the careful one. */
			entry.generic = on->mode != MODE_NATIVE;
			memcpy(entry.mac, links[j].mac, sizeof(entry.mac));
			memcpy(entry.name, on->name, sizeof(entry.name));
			list_add(wanted, &entry);
		}
	}
	free(links);
	if (!wanted->full)
		return 0;
	return fault(fault_out,
		     "cannot attach: more than %d MAC addresses are to be "
		     "listened to",
		     MAX_INTERFACES);
}

int interfaces_write(struct kernel *kernel, struct fault *fault_out)
{
	struct list wanted = {.count = 0}, next = {.count = 0};
	int map = kernel_map(kernel, "interfaces"), rc;
	struct interface entry, *found;
	__u32 key;

	rc = list_wanted(kernel, &wanted, fault_out);
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
