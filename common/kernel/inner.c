// SPDX-License-Identifier: GPL-2.0-only
/*
 * inner.c - the inner maps of a program's maps of maps
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/kernel/generation.h"
#include "common/kernel/kernel.h"

int kernel_inner(const struct kernel *kernel, const char *name, __u32 index)
{
	int outer = kernel_map(kernel, name), inner = -1;
	__u32 id;

	if (outer >= 0 && !bpf_map_lookup_elem(outer, &index, &id))
		inner = bpf_map_get_fd_by_id(id);
	if (outer >= 0)
		close(outer);
	return inner;
}

/* The shape that inner maps of an outer map must have. 0 or -1. */
static int shape_of(const struct kernel *kernel, const char *name,
		    struct bpf_map_info *shape)
{
	__u32 length = sizeof(*shape), at;
	int outer, fd = -1, i, rc;

	memset(shape, 0, sizeof(*shape));
	for (i = 0; kernel->object && kernel->role->inner[i]; i++) {
		if (strcmp(kernel->role->inner[i], name))
			continue;
		*shape = kernel->shapes[i];
		return 0;
	}
	/* As one that is there has it. */
	outer = kernel_map(kernel, name);
	for (at = 0; fd < 0 && at < map_entries(outer); at++)
		fd = kernel_inner(kernel, name, at);
	if (outer >= 0)
		close(outer);
	if (fd < 0)
		return -1;
	rc = bpf_obj_get_info_by_fd(fd, shape, &length);
	close(fd);
	return rc;
}

/*
 * An inner map for the outer map `name`, whose shape decides type, sizes, flags
 * and, if `entries` is 0, the number of entries. Returns its fd, or -1 with a
 * fault.
 */
static int inner_create(struct kernel *kernel, const char *name, __u32 entries,
			struct fault *fault_out)
{
	struct bpf_map_info shape;
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int fd;

	if (shape_of(kernel, name, &shape))
		return fault(fault_out, "cannot find the shape of map %s",
			     name);
	options.map_flags = shape.map_flags;
	fd = bpf_map_create(shape.type, name, shape.key_size, shape.value_size,
			    entries ? entries : shape.max_entries, &options);
	if (fd < 0)
		return fault(fault_out, "cannot make a map of %s: %s", name,
			     strerror(errno));
	return fd;
}

static int inner_note(struct kernel *kernel, const char *name, __u32 at,
		      bool is_old)
{
	if (kernel->inner_count == MAX_INNER_CHANGES)
		return -1;
	kernel->inner[kernel->inner_count++] =
		(struct inner_change){name, at, is_old};
	return 0;
}

int inner_publish(struct kernel *kernel, const char *name, __u32 at, int inner,
		  struct fault *fault_out)
{
	int outer, rc;

	if (inner_note(kernel, name, at, false))
		return fault(fault_out, "cannot publish the map %s: too many",
			     name);
	outer = kernel_map(kernel, name);
	rc = outer < 0 ? -1 : bpf_map_update_elem(outer, &at, &inner, BPF_ANY);
	if (rc)
		fault(fault_out, "cannot publish the map %s: %s", name,
		      strerror(errno));
	if (outer >= 0)
		close(outer);
	return rc;
}

/*
 * Some of the room in the list is kept for maps that are still to be published.
 * A map that finds no room is not retired yet. That costs only memory.
 */
void inner_retire(struct kernel *kernel, const char *name, __u32 at)
{
	if (kernel->inner_count < MAX_INNER_CHANGES - MAX_INNER)
		inner_note(kernel, name, at, true);
}

void inner_settle(struct kernel *kernel, bool is_old)
{
	const struct inner_change *each = kernel->inner;
	int outer;

	for (; each < kernel->inner + kernel->inner_count; each++) {
		if (each->is_old != is_old)
			continue;
		outer = kernel_map(kernel, each->outer);
		if (outer < 0)
			continue;
		bpf_map_delete_elem(outer, &each->at);
		close(outer);
	}
	kernel->inner_count = 0;
}

/* Of a hash; in an array there is nothing to remove. */
static void keys_remove(int fd)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	char key[64];

	if (bpf_obj_get_info_by_fd(fd, &info, &length) ||
	    info.type == BPF_MAP_TYPE_ARRAY || info.key_size > sizeof(key))
		return;
	while (!bpf_map_get_next_key(fd, NULL, key)) {
		if (bpf_map_delete_elem(fd, key))
			return;
	}
}

/* A quarter more than needed, so that there is room next time. */
#define SLACK 4

int inner_take(struct kernel *kernel, const char *name, __u32 index,
	       __u32 entries, struct fault *fault_out)
{
	int fd = kernel_inner(kernel, name, index);
	__u32 there = map_entries(fd);

	if (there && there >= entries &&
	    (!entries || there / SLACK <= entries)) {
		keys_remove(fd);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	fd = inner_create(kernel, name, entries + entries / SLACK, fault_out);
	if (fd < 0 || !inner_publish(kernel, name, index, fd, fault_out))
		return fd;
	close(fd);
	return -1;
}
