// SPDX-License-Identifier: GPL-2.0-only
/*
 * lookup.c - role->lookup, the program that chooses listeners (sk_lookup)
 *
 * It is attached to this network namespace by a pinned bpf_link, as xdp_* is to
 * interfaces: it outlives the tool, and its program is exchanged at once. The
 * program itself is pinned, too, so that `apply` can attach it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/kernel/kernel.h"

#define LOOKUP_LINK "lookup"

bool kernel_can_keep_sockets(void)
{
	return libbpf_probe_bpf_map_type(BPF_MAP_TYPE_SOCKHASH, NULL) == 1;
}

void kernel_lookup_prepare(const struct role *role, struct bpf_object *object,
			   const struct constants *constants)
{
	if (!role->lookup || constants->has_sockets)
		return;
	bpf_program__set_autoload(
		bpf_object__find_program_by_name(object, role->lookup), false);
	bpf_map__set_autocreate(
		bpf_object__find_map_by_name(object, role->sockets), false);
}

int kernel_program(const struct kernel *kernel, const char *name)
{
	if (kernel->object)
		return fcntl(bpf_program__fd(bpf_object__find_program_by_name(
				     kernel->object, name)),
			     F_DUPFD_CLOEXEC, 3);
	return kernel_pinned(kernel, name);
}

/* fd of the pinned link, or -1; one that somebody has detached is none. */
static int lookup_link(const struct kernel *kernel)
{
	struct bpf_link_info info = {0};
	__u32 length = sizeof(info);
	int link = kernel_pinned(kernel, LOOKUP_LINK);

	if (link >= 0 && (bpf_obj_get_info_by_fd(link, &info, &length) ||
			  !info.netns.netns_ino)) {
		close(link);
		return -1;
	}
	return link;
}

static int lookup_link_new(const struct kernel *kernel, int program,
			   struct fault *fault_out)
{
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), link, rc;

	link = bpf_link_create(program, netns, BPF_SK_LOOKUP, NULL);
	if (netns >= 0)
		close(netns);
	if (link < 0)
		return fault(fault_out,
			     "cannot attach %s to this network namespace: %s",
			     kernel->role->lookup, strerror(errno));
	rc = kernel_pin_over(kernel, link, LOOKUP_LINK, fault_out);
	close(link);
	return rc;
}

int kernel_lookup_attach(struct kernel *kernel, bool *is_new,
			 struct fault *fault_out)
{
	int program = kernel_program(kernel, kernel->role->lookup);
	int link = lookup_link(kernel), rc = 0;

	*is_new = link < 0;
	if (program < 0) {
		fault(fault_out, "cannot find the program %s",
		      kernel->role->lookup);
		rc = fault_hint(fault_out, "%s up", kernel->role->name);
	} else if (link < 0) {
		rc = lookup_link_new(kernel, program, fault_out);
	} else if (kernel->object && bpf_link_update(link, program, NULL)) {
		rc = fault(fault_out, "cannot replace %s: %s",
			   kernel->role->lookup, strerror(errno));
	}
	if (program >= 0)
		close(program);
	if (link >= 0)
		close(link);
	return rc;
}

bool kernel_lookup_attached(const struct kernel *kernel)
{
	int link = lookup_link(kernel);

	if (link >= 0)
		close(link);
	return link >= 0;
}

bool kernel_lookup_detach(const struct kernel *kernel)
{
	bool was_attached = kernel_lookup_attached(kernel);
	char path[256];

	kernel_path(kernel, "", LOOKUP_LINK, path, sizeof(path));
	unlink(path);
	return was_attached;
}
