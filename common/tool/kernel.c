// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel.c - pins and maps; load.c fills them
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/tool/kernel.h"

#define BPFFS "/sys/fs/bpf"
#define PINS  BPFFS "/l3dsr"

void kernel_path(const struct kernel *kernel, const char *prefix,
		 const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s%s", kernel->directory, prefix, name);
}

static int bpffs_mount(struct kernel *kernel, struct fault *fault_out)
{
	struct statfs fs;

	if (!statfs(BPFFS, &fs) && (__u32)fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0700")) {
		fault(fault_out, "cannot mount bpffs on " BPFFS ": %s",
		      strerror(errno));
		return fault_hint(fault_out,
				  "run it as root; a container needs "
				  "CAP_NET_ADMIN and CAP_SYS_ADMIN");
	}
	kernel->mounted = true;
	return 0;
}

/* Pins of another layout belong to a tool that is not this one. */
static int other_layout(const struct kernel *kernel, struct fault *fault_out)
{
	size_t length = strlen(kernel->role->name);
	const char *own = strrchr(kernel->directory, '/') + 1;
	DIR *directory = opendir(PINS);
	struct dirent *entry;
	int rc = 0;

	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, kernel->role->name, length) ||
		    entry->d_name[length] != '-' || !strcmp(entry->d_name, own))
			continue;
		rc = fault(fault_out,
			   "cannot take over %s/%s: its maps have another "
			   "layout than %s",
			   PINS, entry->d_name, L3DSR_LAYOUT);
		fault_hint(fault_out, "`%s down` of the %s that made it",
			   kernel->role->name, kernel->role->name);
	}
	if (directory)
		closedir(directory);
	return rc;
}

int kernel_open(struct kernel *kernel, const struct role *role, bool create,
		struct fault *fault_out)
{
	char path[256];

	memset(kernel, 0, sizeof(*kernel));
	kernel->role = role;
	kernel->lock = kernel->program = kernel->old_flows = -1;
	libbpf_set_print(NULL); /* the tool has words of its own */
	snprintf(kernel->directory, sizeof(kernel->directory), PINS "/%s-%s",
		 role->name, L3DSR_LAYOUT);
	if (create) {
		if (bpffs_mount(kernel, fault_out) ||
		    other_layout(kernel, fault_out))
			return -1;
		if ((mkdir(PINS, 0700) && errno != EEXIST) ||
		    (mkdir(kernel->directory, 0700) && errno != EEXIST))
			return fault(fault_out, "cannot make %s: %s",
				     kernel->directory, strerror(errno));
	}
	kernel->lock = open(kernel->directory, O_RDONLY | O_CLOEXEC);
	if (kernel->lock < 0 && errno == ENOENT) {
		fault(fault_out, "cannot find %s: it is not up here",
		      role->program);
		return fault_hint(fault_out, "%s up", role->name);
	}
	if (kernel->lock < 0 || flock(kernel->lock, LOCK_EX)) {
		fault(fault_out, "cannot open %s: %s", kernel->directory,
		      strerror(errno));
		return fault_hint(fault_out, "run it as root");
	}
	kernel_path(kernel, "", "control", path, sizeof(path));
	kernel->was_up = !access(path, F_OK);
	return 0;
}

void kernel_close(struct kernel *kernel)
{
	int i;

	for (i = 0; i < kernel->attachment_count; i++) {
		if (kernel->attachments[i].link >= 0)
			close(kernel->attachments[i].link);
		if (kernel->attachments[i].old_program >= 0)
			close(kernel->attachments[i].old_program);
	}
	if (kernel->old_flows >= 0)
		close(kernel->old_flows);
	bpf_object__close(kernel->object);
	if (kernel->lock >= 0)
		close(kernel->lock);
}

int kernel_map(const struct kernel *kernel, const char *name)
{
	char path[256];

	if (kernel->object) {
		int fd = bpf_object__find_map_fd_by_name(kernel->object, name);

		return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	kernel_path(kernel, "", name, path, sizeof(path));
	return bpf_obj_get(path);
}

int kernel_inner(const struct kernel *kernel, const char *name, __u32 slot)
{
	int outer = kernel_map(kernel, name), inner = -1;
	__u32 id;

	if (outer >= 0 && !bpf_map_lookup_elem(outer, &slot, &id))
		inner = bpf_map_get_fd_by_id(id);
	if (outer >= 0)
		close(outer);
	return inner;
}

int kernel_shape(const struct kernel *kernel, const char *name,
		 struct bpf_map_info *shape)
{
	__u32 length = sizeof(*shape);
	int fd, i, rc;

	memset(shape, 0, sizeof(*shape));
	for (i = 0; kernel->object && kernel->role->inner[i]; i++) {
		if (strcmp(kernel->role->inner[i], name))
			continue;
		*shape = kernel->shapes[i];
		return 0;
	}
	/* As the running generation has it. */
	fd = kernel_inner(kernel, name,
			  control_get(kernel, CONTROL_GENERATION) - 1);
	if (fd < 0)
		return -1;
	rc = bpf_obj_get_info_by_fd(fd, shape, &length);
	close(fd);
	return rc;
}

int kernel_clock(const struct kernel *kernel)
{
	char path[256];

	if (kernel->object)
		return fcntl(bpf_program__fd(bpf_object__find_program_by_name(
				     kernel->object, "clock")),
			     F_DUPFD_CLOEXEC, 3);
	kernel_path(kernel, "", "clock", path, sizeof(path));
	return bpf_obj_get(path);
}

static int pin_clock(struct kernel *kernel, struct fault *fault_out)
{
	int rc, fd = kernel_clock(kernel);
	char path[256];

	kernel_path(kernel, "", "clock", path, sizeof(path));
	unlink(path);
	rc = bpf_obj_pin(fd, path);
	close(fd);
	if (rc)
		return fault(fault_out, "cannot pin %s: %s", path,
			     strerror(errno));
	return 0;
}

int kernel_pin(struct kernel *kernel, struct fault *fault_out)
{
	const char *const *name;
	char path[256], aside[256];

	for (name = kernel->role->maps; *name; name++) {
		int fd = bpf_object__find_map_fd_by_name(kernel->object, *name);
		struct bpf_map_info own = {0}, pinned = {0};
		__u32 length = sizeof(own);
		int there;

		kernel_path(kernel, "", *name, path, sizeof(path));
		there = bpf_obj_get(path);
		if (there >= 0) {
			bpf_obj_get_info_by_fd(fd, &own, &length);
			length = sizeof(pinned);
			bpf_obj_get_info_by_fd(there, &pinned, &length);
			close(there);
			if (own.id == pinned.id)
				continue;
		}
		/* Never a moment without a pin of this name. */
		kernel_path(kernel, "new-", *name, aside, sizeof(aside));
		unlink(aside);
		if (bpf_obj_pin(fd, aside) || rename(aside, path))
			return fault(fault_out, "cannot pin %s: %s", path,
				     strerror(errno));
	}
	return pin_clock(kernel, fault_out);
}

void kernel_remove(struct kernel *kernel)
{
	DIR *directory = opendir(kernel->directory);
	struct dirent *entry;
	char path[512];

	while (directory && (entry = readdir(directory))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", kernel->directory,
			 entry->d_name);
		unlink(path);
	}
	if (directory)
		closedir(directory);
	rmdir(kernel->directory);
	rmdir(PINS);
	if (kernel->mounted) {
		close(kernel->lock);
		kernel->lock = -1;
		umount(BPFFS);
	}
}

__u32 control_get(const struct kernel *kernel, enum control key)
{
	__u32 k = key, value = 0;
	int fd = kernel_map(kernel, "control");

	if (fd >= 0) {
		bpf_map_lookup_elem(fd, &k, &value);
		close(fd);
	}
	return value;
}

int control_set(const struct kernel *kernel, enum control key, __u32 value)
{
	__u32 k = key;
	int rc = -1, fd = kernel_map(kernel, "control");

	if (fd >= 0) {
		rc = bpf_map_update_elem(fd, &k, &value, BPF_ANY);
		close(fd);
	}
	return rc;
}
