// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - the program on its interfaces
 *
 * A link is a bpf_link, pinned: it outlives the tool, nobody else's attach
 * can push it out, and its program is replaced without a packet lost.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/tool/kernel.h"
#include "common/tool/netlink.h"

#define LINK "link-"

/*
 * Where an interface's link is pinned. bpffs takes no name with a dot in it,
 * but VLAN devices have one, and no interface may have a colon.
 */
static void link_path(const struct kernel *kernel, const char *interface,
		      char *path, size_t size)
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

static struct attachment *attachment_of(struct kernel *kernel, const char *name)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		if (!strcmp(kernel->attachments[i].name, name))
			return &kernel->attachments[i];
	}
	return NULL;
}

static struct attachment *attachment_new(struct kernel *kernel,
					 const char *name)
{
	struct attachment *new;

	if (kernel->attachment_count == MAX_INTERFACES)
		return NULL;
	new = &kernel->attachments[kernel->attachment_count++];
	memset(new, 0, sizeof(*new));
	snprintf(new->name, sizeof(new->name), "%s", name);
	new->link = new->old_program = -1;
	return new;
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

/* Opens one pinned link; one whose interface has gone is unpinned. */
static void attachment_open(struct kernel *kernel, const char *name)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	struct attachment *opened;
	char path[256];
	int link;

	link_path(kernel, name, path, sizeof(path));
	link = bpf_obj_get(path);
	if (link < 0)
		return;
	if (bpf_obj_get_info_by_fd(link, &info, &length) || !info.xdp.ifindex) {
		close(link);
		unlink(path);
		return;
	}
	opened = attachment_new(kernel, name);
	if (!opened) {
		close(link);
		return;
	}
	opened->link = link;
	opened->ifindex = (int)info.xdp.ifindex;
	opened->old_program = bpf_prog_get_fd_by_id(info.prog_id);
	opened->mode = opened->old_mode = mode_attached(opened->ifindex);
	opened->id = info.prog_id;
	snprintf(opened->why, sizeof(opened->why), "as it was");
}

/* The program that is attached to an interface of this network namespace. */
static __u32 program_attached(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query(ifindex, 0, &query))
		return 0;
	return query.prog_id ?: query.skb_prog_id ?: query.drv_prog_id;
}

int kernel_attachments(struct kernel *kernel, struct fault *fault_out)
{
	DIR *directory = opendir(kernel->directory);
	struct dirent *entry;
	int i;

	if (!directory)
		return fault(fault_out, "cannot read %s: %s", kernel->directory,
			     strerror(errno));
	while ((entry = readdir(directory))) {
		char name[IFNAMSIZ];

		if (strncmp(entry->d_name, LINK, strlen(LINK)))
			continue;
		interface_of(entry->d_name, name);
		attachment_open(kernel, name);
	}
	closedir(directory);
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
	return 0;
}

/* Says what is attached to the interface and is not ours. */
static int foreign(const struct kernel *kernel, const char *name, int ifindex,
		   struct fault *fault_out)
{
	struct bpf_prog_info info = {0};
	__u32 id = program_attached(ifindex), length = sizeof(info);
	int fd;

	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &length);
		close(fd);
	}
	fault(fault_out,
	      "cannot attach %s to %s: another XDP program is there: %s, id %u",
	      kernel->role->program, name, info.name, id);
	return fault_hint(fault_out,
			  "ip link set dev %s xdp off; or, where a bpf_link "
			  "holds it, ask `bpftool link show` whose it is",
			  name);
}

#define VETH_NEEDS                                                             \
	"veth: the other end must have an XDP program (XDP_PASS will do) "     \
	"and `ethtool -K PORT tx off`"

/* What `auto` and `native` mean on this device. */
static enum mode mode_of(const struct link *link, enum mode wanted, char *why,
			 size_t size)
{
	bool veth = !strcmp(link->kind, "veth");

	if (wanted == MODE_GENERIC || (wanted == MODE_AUTO && veth)) {
		snprintf(
			why, size,
			wanted == MODE_GENERIC
				? "as asked"
				: "veth: whether its other end can take native "
				  "frames cannot be seen from here");
		return MODE_GENERIC;
	}
	if (veth)
		snprintf(why, size, "as asked; " VETH_NEEDS);
	else
		snprintf(why, size, "%s",
			 wanted == MODE_AUTO ? "the driver takes it"
					     : "as asked");
	return MODE_NATIVE;
}

/* For an attachment that is there: it keeps its mode unless another is asked.
 */
static void choose_again(struct attachment *found, const struct link *link,
			 enum mode wanted)
{
	if (wanted != MODE_AUTO)
		found->mode =
			mode_of(link, wanted, found->why, sizeof(found->why));
	else if (found->mode == MODE_NATIVE && !strcmp(link->kind, "veth"))
		snprintf(found->why, sizeof(found->why),
			 "as it was; " VETH_NEEDS);
}

int kernel_choose(struct kernel *kernel, const char *name, enum mode wanted,
		  struct fault *fault_out)
{
	struct attachment *found = attachment_of(kernel, name);
	struct link link;

	if (link_find(name, &link, fault_out))
		return -1;
	if (found) {
		choose_again(found, &link, wanted);
		return 0;
	}
	if (foreign(kernel, name, link.ifindex, fault_out))
		return -1;
	found = attachment_new(kernel, name);
	if (!found)
		return fault(fault_out,
			     "cannot attach to %s: at most %d interfaces", name,
			     MAX_INTERFACES);
	found->ifindex = link.ifindex;
	found->mode = mode_of(&link, wanted, found->why, sizeof(found->why));
	/* Only a try tells whether the driver takes it. */
	if (wanted == MODE_AUTO && found->mode == MODE_NATIVE)
		found->mode = MODE_AUTO;
	return 0;
}

static int link_create(struct attachment *new, int program, enum mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = mode == MODE_NATIVE ? XDP_FLAGS_DRV_MODE
						 : XDP_FLAGS_SKB_MODE);

	new->link = bpf_link_create(program, new->ifindex, BPF_XDP, &options);
	if (new->link >= 0)
		new->mode = mode;
	return new->link;
}

static int link_pin(const struct kernel *kernel, const struct attachment *new,
		    struct fault *fault_out)
{
	char path[256];

	link_path(kernel, new->name, path, sizeof(path));
	if (bpf_obj_pin(new->link, path))
		return fault(fault_out, "cannot pin %s: %s", path,
			     strerror(errno));
	return 0;
}

static void link_remove(const struct kernel *kernel, struct attachment *each)
{
	char path[256];

	if (each->link >= 0) {
		bpf_link_detach(each->link);
		close(each->link);
	}
	each->link = -1;
	link_path(kernel, each->name, path, sizeof(path));
	unlink(path);
}

/* A link that was there: its program replaced, or, in another mode, anew. */
static int attach_again(struct kernel *kernel, struct attachment *each)
{
	if (each->mode == each->old_mode)
		return bpf_link_update(each->link, kernel->program, NULL);
	/* A link cannot change its mode: for a moment there is none. */
	link_remove(kernel, each);
	return link_create(each, kernel->program, each->mode) < 0 ? -1 : 0;
}

static int attach_anew(struct kernel *kernel, struct attachment *new)
{
	if (new->mode == MODE_AUTO &&
	    link_create(new, kernel->program, MODE_NATIVE) < 0) {
		snprintf(new->why, sizeof(new->why),
			 "the driver refuses native: %s", strerror(errno));
		new->mode = MODE_GENERIC;
	}
	if (new->link < 0)
		link_create(new, kernel->program, new->mode);
	return new->link < 0 ? -1 : 0;
}

static int attach_one(struct kernel *kernel, struct attachment *each,
		      struct fault *fault_out)
{
	bool was_there = each->link >= 0;
	bool anew = !was_there || each->mode != each->old_mode;

	if (was_there ? attach_again(kernel, each)
		      : attach_anew(kernel, each)) {
		fault(fault_out, "cannot attach %s to %s: %s",
		      kernel->role->program, each->name, strerror(errno));
		return fault_hint(fault_out, "%s up -i %s -m generic",
				  kernel->role->name, each->name);
	}
	return anew || each->is_before ? link_pin(kernel, each, fault_out) : 0;
}

/* As it was before this run. */
static void attach_undo(struct kernel *kernel, struct attachment *each)
{
	struct fault ignored;

	if (each->old_program < 0) {
		link_remove(kernel, each);
		return;
	}
	if (each->mode == each->old_mode) {
		bpf_link_update(each->link, each->old_program, NULL);
		return;
	}
	link_remove(kernel, each);
	if (link_create(each, each->old_program, each->old_mode) >= 0)
		link_pin(kernel, each, &ignored);
}

int kernel_attach(struct kernel *kernel, struct fault *fault_out)
{
	int done;

	for (done = 0; done < kernel->attachment_count; done++) {
		if (!attach_one(kernel, &kernel->attachments[done], fault_out))
			continue;
		for (; done >= 0; done--)
			attach_undo(kernel, &kernel->attachments[done]);
		return -1;
	}
	return 0;
}

void kernel_attach_undo(struct kernel *kernel)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++)
		attach_undo(kernel, &kernel->attachments[i]);
}

bool kernel_detach_from(struct kernel *kernel, const char *name)
{
	struct attachment *found = attachment_of(kernel, name);
	struct attachment *last =
		&kernel->attachments[kernel->attachment_count - 1];

	if (!found)
		return false;
	link_remove(kernel, found);
	if (found->old_program >= 0)
		close(found->old_program);
	*found = *last;
	kernel->attachment_count--;
	return true;
}

void kernel_detach(struct kernel *kernel)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++)
		link_remove(kernel, &kernel->attachments[i]);
}
