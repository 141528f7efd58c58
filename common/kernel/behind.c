// SPDX-License-Identifier: GPL-2.0-only
/*
 * behind.c - the maps of a program behind XDP, which has an object of its own
 *
 * Its own maps are pinned beside those of xdp_*, so that what they hold
 * outlives an `up`; the others are those of xdp_*.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "common/kernel/kernel.h"

/* A map of its own: the pinned one, unless it has another size. */
static int own_map_reuse(const struct kernel *kernel, struct bpf_map *map)
{
	int fd = kernel_pinned(kernel, bpf_map__name(map)), rc = 0;
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	if (fd < 0)
		return 0;
	if (!bpf_obj_get_info_by_fd(fd, &info, &length) &&
	    info.max_entries == bpf_map__max_entries(map))
		rc = bpf_map__reuse_fd(map, fd);
	close(fd);
	return rc;
}

int kernel_share_maps(const struct kernel *kernel, struct bpf_object *object,
		      const char *const *own, const char *const *fresh)
{
	struct bpf_map *map;
	const char *name;
	int fd, rc = 0;

	bpf_object__for_each_map(map, object)
	{
		name = kernel_map_name(map);
		if (!name || kernel_names(fresh, name))
			continue;
		if (kernel_names(own, name)) {
			rc = rc ?: own_map_reuse(kernel, map);
			continue;
		}
		fd = kernel_map(kernel, name);
		if (fd < 0) /* not pinned: of no use here */
			rc = rc ?: bpf_map__set_autocreate(map, false);
		else
			rc = rc ?: bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
	}
	return rc;
}

int kernel_pin_maps(const struct kernel *kernel, struct bpf_object *object,
		    const char *const *own)
{
	struct fault ignored;
	int rc = 0;

	for (; *own && !rc; own++)
		rc = kernel_pin_over(
			kernel, bpf_object__find_map_fd_by_name(object, *own),
			*own, &ignored);
	return rc;
}
