// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/takeover.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/printing.h"
#include "common/core/abi_packets.h"
#include "common/kernel/lock.h"

static bool takeover_find(const struct kernel *kernel, char *path, size_t size)
{
	const char *own = strrchr(kernel->directory, '/') + 1;
	size_t length = strlen(kernel->role->name);
	int parent = (int)(own - kernel->directory);
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(path, size, "%.*s", parent, kernel->directory);
	directory = opendir(path);
	while (directory && !found && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, kernel->role->name, length) ||
		    entry->d_name[length] != '-' || !strcmp(entry->d_name, own))
			continue;
		found = snprintf(path, size, "%.*s%s", parent,
				 kernel->directory, entry->d_name) < (int)size;
	}
	if (directory)
		closedir(directory);
	return found;
}

const char *takeover_layout(const struct kernel *before)
{
	return strrchr(before->directory, '-') + 1;
}

int takeover_refused(const struct kernel *kernel, enum access access,
		     struct fault *fault_out)
{
	const struct role *role = kernel->role;
	struct kernel before = {.role = role};
	bool can_read;

	if (access == ACCESS_TAKE_OVER || access == ACCESS_END ||
	    !takeover_find(kernel, before.directory, sizeof(before.directory)))
		return 0;
	can_read = role->reads(takeover_layout(&before));
	if (can_read && access == ACCESS_CREATE)
		return 0;
	fault(fault_out, "cannot use %s: its maps have another layout than %s",
	      before.directory, L3DSR_LAYOUT);
	return fault_hint(fault_out,
			  "%s up%s, which takes it over; or %s down, which "
			  "ends it",
			  role->name, can_read ? "" : " --drop-flows",
			  role->name);
}

int takeover_readable(const struct kernel *before, struct fault *fault_out)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int map = kernel_map(before, "changes");

	if (map >= 0) {
		bpf_obj_get_info_by_fd(map, &info, &length);
		close(map);
	}
	if (info.value_size == sizeof(struct change))
		return 0;
	fault(fault_out,
	      "cannot take over %s: it notes otherwise what it changed on this "
	      "host",
	      before->directory);
	return fault_hint(fault_out, "`%s down` of the %s that made it",
			  before->role->name, before->role->name);
}

int takeover_open(const struct kernel *kernel, struct kernel *before,
		  struct fault *fault_out)
{
	memset(before, 0, sizeof(*before));
	before->role = kernel->role;
	before->lock = before->program = -1;
	if (!takeover_find(kernel, before->directory,
			   sizeof(before->directory))) {
		*before->directory = '\0';
		return 0;
	}
	before->lock = lock_wait(before->directory, before->role->name);
	if (before->lock < 0)
		return fault(fault_out, "cannot open %s: %s", before->directory,
			     strerror(errno));
	printing_hold();
	before->current = control_get(before, CONTROL_GENERATION);
	return 0;
}

/* The first pin to go; every layout has it. */
#define FIRST "generations"

bool takeover_is_over(const struct kernel *before)
{
	int map = kernel_map(before, FIRST);

	if (map >= 0)
		close(map);
	return map < 0 && errno == ENOENT;
}

int takeover_end(struct kernel *before, struct fault *fault_out)
{
	char path[256];

	kernel_path(before, "", FIRST, path, sizeof(path));
	unlink(path);
	if (kernel_remove(before, fault_out))
		return -1;
	*before->directory = '\0';
	return 0;
}

int takeover_map(const struct kernel *before, const char *name, size_t size)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	int map = kernel_map(before, name);

	if (map < 0 || (!bpf_obj_get_info_by_fd(map, &info, &length) &&
			info.value_size == size))
		return map;
	close(map);
	errno = EPROTO;
	return -1;
}

__u32 takeover_control(const struct kernel *before, enum control word)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info), words[CONTROLS] = {0}, key = 0, value = 0;
	int map = kernel_map(before, "control");

	if (map < 0)
		return 0;
	bpf_obj_get_info_by_fd(map, &info, &length);
	/* A key for each word, or one value with all of them. */
	if (info.value_size == sizeof(value)) {
		key = word;
		bpf_map_lookup_elem(map, &key, &value);
	} else if (info.value_size == sizeof(words) &&
		   !bpf_map_lookup_elem(map, &key, words)) {
		value = words[word];
	}
	close(map);
	return value;
}

int takeover_attachments(struct kernel *kernel, struct kernel *before,
			 struct fault *fault_out)
{
	struct attachment *each = before->attachments;
	int i;

	if (kernel_attachments(before, fault_out))
		return -1;
	for (; before->attachment_count; before->attachment_count--, each++) {
		for (i = 0; i < kernel->attachment_count; i++) {
			if (!strcmp(kernel->attachments[i].name, each->name))
				break;
		}
		if (i < kernel->attachment_count || i == MAX_INTERFACES) {
			/* A killed `up` left it: it is there already. */
			close(each->link);
			close(each->old_program);
			continue;
		}
		kernel->attachments[i] = *each;
		kernel->attachments[i].is_before = true;
		kernel->attachment_count++;
	}
	return 0;
}

int takeover_changes(const struct kernel *from, const struct kernel *to,
		     struct fault *fault_out)
{
	int old = kernel_map(from, "changes"), new = kernel_map(to, "changes");
	struct change change;
	int rc = old < 0 || new < 0;
	__u32 i;

	for (i = 0; !rc && i < MAX_CHANGES; i++) {
		if (bpf_map_lookup_elem(old, &i, &change) || !*change.kind)
			break;
		rc = bpf_map_update_elem(new, &i, &change, BPF_ANY);
	}
	if (rc)
		fault(fault_out,
		      "cannot take over what %s changed on this host: %s",
		      from->directory, strerror(errno));
	if (old >= 0)
		close(old);
	if (new >= 0)
		close(new);
	return rc ? -1 : 0;
}
