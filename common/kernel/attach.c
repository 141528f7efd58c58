// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach.c - attach the program to interfaces
 *
 * An attachment is a pinned bpf_link: it outlives the tool, nobody else's
 * attach can replace it, and its program is exchanged without losing a packet.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/core/abi_packets.h"
#include "common/kernel/changes.h"
#include "common/kernel/kernel.h"
#include "common/kernel/pins.h"
#include "common/net/netlink.h"

/* Reports what is attached to the interface and is not ours. */
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

/* What `auto` and `native` mean for this device. */
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

/* For an existing attachment: it keeps its mode unless another is asked for. */
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
	/* Only trying shows whether the driver takes it. */
	if (wanted == MODE_AUTO && found->mode == MODE_NATIVE)
		found->mode = MODE_AUTO;
	return 0;
}

/* The mode that it had, if the interface is gone. */
static enum mode mode_noted(const struct kernel *kernel, const char *name)
{
	struct change note;

	if (!change_find(kernel, "mode", name, &note))
		return MODE_AUTO;
	return strcmp(note.before, "native") ? MODE_GENERIC : MODE_NATIVE;
}

/*
 * Is it still the same interface, from which somebody has detached the program?
 * May it be attached again?
 */
static bool may_attach_again(struct kernel *kernel, const char *name)
{
	char what[64];
	struct change note;

	if (!change_find(kernel, "mode", name, &note) ||
	    note.ifindex != if_nametoindex(name))
		return true;
	snprintf(what, sizeof(what), "%s on %s", kernel->role->program, name);
	return change_again(kernel, what);
}

int kernel_choose_again(struct kernel *kernel, enum mode wanted,
			struct fault *fault_out)
{
	const struct attachment *gone;
	int i, count = 0;
	bool failed = false;

	for (i = 0; i < kernel->gone_count; i++) {
		gone = &kernel->gone[i];
		if (!if_nametoindex(gone->name) ||
		    !may_attach_again(kernel, gone->name))
			continue;
		if (kernel_choose(kernel, gone->name,
				  wanted ?: mode_noted(kernel, gone->name),
				  fault_out))
			failed = true;
		else
			count++;
	}
	return failed ? -1 : count;
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

/* What was pinned for an interface of this name that is gone. */
static void gone_forget(struct kernel *kernel, const char *name)
{
	struct attachment *gone = gone_of(kernel, name);
	char path[256];

	if (!gone)
		return;
	link_path(kernel, name, path, sizeof(path));
	unlink(path);
	close(gone->link);
	if (gone->old_program >= 0)
		close(gone->old_program);
	*gone = kernel->gone[--kernel->gone_count];
}

static int link_pin(struct kernel *kernel, const struct attachment *new,
		    struct fault *fault_out)
{
	char path[256];

	gone_forget(kernel, new->pin);
	link_path(kernel, new->pin, path, sizeof(path));
	if (bpf_obj_pin(new->link, path))
		return fault(fault_out, "cannot pin %s: %s", path,
			     strerror(errno));
	return change_mode(kernel, new->name, new->mode == MODE_NATIVE,
			   fault_out);
}

static void link_remove(const struct kernel *kernel, struct attachment *each)
{
	char path[256];

	if (each->link >= 0) {
		bpf_link_detach(each->link);
		close(each->link);
	}
	each->link = -1;
	link_path(kernel, each->pin, path, sizeof(path));
	unlink(path);
}

/*
 * For an existing link: exchanges its program; in another mode, makes a new
 * one.
 */
static int attach_again(struct kernel *kernel, struct attachment *each)
{
	if (each->mode == each->old_mode)
		return bpf_link_update(each->link, kernel->program, NULL);
	/* A link cannot change its mode, so for a moment there is none. */
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

/* Restore what was there before this run. */
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

int kernel_attach_new(struct kernel *kernel, struct fault *fault_out)
{
	struct attachment *each;
	int i;

	kernel->program = -1;
	for (i = 0; i < kernel->attachment_count; i++) {
		each = &kernel->attachments[i];
		if (each->link >= 0 && each->old_program >= 0)
			kernel->program = each->old_program;
	}
	for (i = 0; kernel->program < 0 && i < kernel->gone_count; i++)
		kernel->program = kernel->gone[i].old_program;
	for (i = 0; i < kernel->attachment_count; i++) {
		each = &kernel->attachments[i];
		if (each->link >= 0)
			continue;
		if (attach_one(kernel, each, fault_out))
			return -1;
		printf("%s: %s attached again, %s\n", each->name,
		       kernel->role->program,
		       each->mode == MODE_NATIVE ? "native" : "generic");
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

	if (gone_of(kernel, name)) {
		gone_forget(kernel, name);
		return true;
	}
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
