// SPDX-License-Identifier: GPL-2.0-only
/*
 * pins.c - which interfaces the program is attached to: the pinned links
 *
 * A link follows its interface by index. If the interface is gone, the link
 * stays, attached to nothing: its pin names the interface, and it keeps the
 * program in case the interface is made again.
 */
#include "common/kernel/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/kernel/changes.h"

#define LINK "link-"

/*
 * The path of an interface's pin. bpffs takes no name with a dot, but VLAN
 * devices have one; no interface has a colon.
 */
void link_path(const struct kernel *kernel, const char *interface, char *path,
	       size_t size)
{
	char name[IFNAMSIZ], *dot;

	snprintf(name, sizeof(name), "%s", interface);
	while ((dot = strchr(name, '.')))
		*dot = ':';
	kernel_path(kernel, LINK, name, path, size);
}

static void interface_of(const char *pin, char name[IFNAMSIZ])
{
	char *colon;

	snprintf(name, IFNAMSIZ, "%s", pin + strlen(LINK));
	while ((colon = strchr(name, ':')))
		*colon = '.';
}

struct attachment *attachment_of(struct kernel *kernel, const char *name)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		if (!strcmp(kernel->attachments[i].name, name))
			return &kernel->attachments[i];
	}
	return NULL;
}

/* `list` has room for MAX_INTERFACES. */
static struct attachment *list_new(struct attachment *list, int *count,
				   const char *name)
{
	struct attachment *new;

	if (*count == MAX_INTERFACES)
		return NULL;
	new = &list[(*count)++];
	memset(new, 0, sizeof(*new));
	snprintf(new->name, sizeof(new->name), "%s", name);
	snprintf(new->pin, sizeof(new->pin), "%s", name);
	new->link = new->old_program = -1;
	return new;
}

struct attachment *attachment_new(struct kernel *kernel, const char *name)
{
	return list_new(kernel->attachments, &kernel->attachment_count, name);
}

struct attachment *gone_of(struct kernel *kernel, const char *name)
{
	int i;

	for (i = 0; i < kernel->gone_count; i++) {
		if (!strcmp(kernel->gone[i].pin, name))
			return &kernel->gone[i];
	}
	return NULL;
}

/* The mode in which something is attached to the interface, or MODE_AUTO. */
static enum mode mode_attached(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query(ifindex, 0, &query))
		return MODE_AUTO;
	return query.attach_mode == XDP_ATTACHED_SKB   ? MODE_GENERIC
	       : query.attach_mode == XDP_ATTACHED_DRV ? MODE_NATIVE
						       : MODE_AUTO;
}

static int not_opened(const char *path, int error, struct fault *fault_out)
{
	return fault(fault_out, "cannot open %s: %s", path, strerror(error));
}

/* Opens one pinned link. Returns 0, or -1 with a fault. */
static int attachment_open(struct kernel *kernel, const char *pin,
			   struct fault *fault_out)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	struct attachment *opened;
	char path[256];
	int link;

	link_path(kernel, pin, path, sizeof(path));
	link = bpf_obj_get(path);
	/* A `down` may be quicker than a reader. */
	if (link < 0)
		return errno == ENOENT ? 0 : not_opened(path, errno, fault_out);
	if (bpf_obj_get_info_by_fd(link, &info, &length)) {
		not_opened(path, errno, fault_out);
		close(link);
		return -1;
	}
	opened = info.xdp.ifindex
			 ? attachment_new(kernel, pin)
			 : list_new(kernel->gone, &kernel->gone_count, pin);
	if (!opened) {
		close(link);
		return fault(fault_out,
			     "cannot open %s: there are more than %d", path,
			     MAX_INTERFACES);
	}
	opened->link = link;
	opened->old_program = bpf_prog_get_fd_by_id(info.prog_id);
	opened->id = info.prog_id;
	if (!info.xdp.ifindex)
		return 0;
	opened->ifindex = (int)info.xdp.ifindex;
	if_indextoname(info.xdp.ifindex, opened->name);
	opened->mode = opened->old_mode = mode_attached(opened->ifindex);
	snprintf(opened->why, sizeof(opened->why), "as it was");
	return 0;
}

static void pin_move(const struct kernel *kernel, struct attachment *each,
		     const char *pin)
{
	char from[256], to[256];

	link_path(kernel, each->pin, from, sizeof(from));
	link_path(kernel, pin, to, sizeof(to));
	if (!rename(from, to))
		snprintf(each->pin, sizeof(each->pin), "%s", pin);
}

/*
 * Pins have the names of their interfaces. Two may have exchanged names, so all
 * that change are moved aside first. A pin that a killed tool left aside is
 * found like any other.
 */
static void pins_follow(struct kernel *kernel)
{
	char aside[IF_NAMESIZE], before[MAX_INTERFACES][IF_NAMESIZE];
	struct attachment *each;
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		each = &kernel->attachments[i];
		memcpy(before[i], each->pin, sizeof(before[i]));
		snprintf(aside, sizeof(aside), ".%d", each->ifindex);
		if (strcmp(each->pin, each->name))
			pin_move(kernel, each, aside);
	}
	for (i = 0; i < kernel->attachment_count; i++) {
		each = &kernel->attachments[i];
		if (!strcmp(each->pin, each->name))
			continue;
		pin_move(kernel, each, each->name);
		printf("%s: is called %s now\n", before[i], each->name);
	}
}

/* The program that is attached to an interface of this network namespace. */
__u32 program_attached(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query(ifindex, 0, &query))
		return 0;
	return query.prog_id ?: query.skb_prog_id ?: query.drv_prog_id;
}

int kernel_attachments(struct kernel *kernel, struct fault *fault_out)
{
	struct dirent *entry;
	DIR *directory;
	int i, rc = 0;

	if (kernel->attachment_count || kernel->gone_count)
		return 0;
	directory = opendir(kernel->directory);
	if (!directory)
		return fault(fault_out, "cannot read %s: %s", kernel->directory,
			     strerror(errno));
	while (!rc && (entry = readdir(directory))) {
		char name[IFNAMSIZ];

		if (strncmp(entry->d_name, LINK, strlen(LINK)))
			continue;
		interface_of(entry->d_name, name);
		rc = attachment_open(kernel, name, fault_out);
	}
	closedir(directory);
	if (rc)
		return -1;
	for (i = 0; i < kernel->attachment_count; i++) {
		const struct attachment *each = &kernel->attachments[i];

		if (program_attached(each->ifindex) == each->id)
			continue;
		fault(fault_out,
		      "cannot use %s: its %s is attached in another network "
		      "namespace",
		      kernel->directory, each->name);
		return fault_hint(fault_out,
				  "give this one a bpffs of its own: mount -t "
				  "bpf bpf /sys/fs/bpf in a mount namespace of "
				  "its own");
	}
	if (kernel->exclusive) {
		pins_follow(kernel);
		changes_follow(kernel);
	}
	return 0;
}

int kernel_attached(const struct kernel *kernel, struct fault *fault_out)
{
	const struct role *role = kernel->role;

	if (!kernel->gone_count && kernel->attachment_count)
		return 0;
	if (!kernel->gone_count) {
		fault(fault_out, "cannot find %s on any interface",
		      role->program);
		return fault_hint(fault_out, "%s up -i IFACE", role->name);
	}
	fault(fault_out,
	      "cannot find %s on %s: the interface was removed, or %s from it",
	      role->program, kernel->gone[0].name, role->program);
	if (if_nametoindex(kernel->gone[0].name))
		return fault_hint(fault_out,
				  "%s up, which attaches to the one that has "
				  "its name now",
				  role->name);
	return fault_hint(fault_out,
			  "%s up, once it is there again; %s down -i %s, if "
			  "it will not be",
			  role->name, role->name, kernel->gone[0].name);
}
