// SPDX-License-Identifier: GPL-2.0-only
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "LoadBalancer/host/host.h"
#include "LoadBalancer/datapath/redirect_refused.skel.h"

#define BTF "/sys/kernel/btf/vmlinux"

static int share(const struct kernel *kernel, struct bpf_object *object)
{
	struct bpf_map *map;
	const char *name;
	int fd, rc = 0;

	bpf_object__for_each_map(map, object)
	{
		name = kernel_map_name(map);
		if (!name)
			continue;
		fd = kernel_map(kernel, name);
		rc = rc ?: fd < 0 ? -1 : bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
	}
	return rc;
}

int lbr_redirect_refused(const struct kernel *kernel, struct fault *fault_out)
{
	struct bpf_prog_info info = {0};
	__u32 length = sizeof(info);
	struct redirect_refused_bpf *skeleton;
	struct fault ignored;
	int link = -1, rc = -1;

	if (access(BTF, R_OK))
		return 0;
	skeleton = redirect_refused_bpf__open();
	if (skeleton &&
	    !bpf_obj_get_info_by_fd(kernel->program, &info, &length)) {
		skeleton->rodata->program = info.id;
		if (!share(kernel, skeleton->obj) &&
		    !redirect_refused_bpf__load(skeleton))
			link = bpf_raw_tracepoint_open(
				NULL, bpf_program__fd(
					      skeleton->progs.xdp_lbr_refused));
		if (link >= 0)
			/* Over the link of the previous program. */
			rc = kernel_pin_over(kernel, link, "refused", &ignored);
	}
	if (rc)
		fault(fault_out,
		      "cannot count what the kernel's redirect refuses: %s",
		      strerror(errno));
	if (link >= 0)
		close(link);
	redirect_refused_bpf__destroy(skeleton);
	return rc;
}
