// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel.c - pins and maps; load.c fills them
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/printing.h"
#include "common/core/abi_services.h"
#include "common/kernel/bpffs.h"
#include "common/kernel/generation.h"
#include "common/kernel/kernel.h"
#include "common/kernel/lock.h"
#include "common/kernel/takeover.h"

#define MOST_OPEN 16 /* descriptors, more than a verb that reads has open */

void kernel_directory(const struct role *role, char path[KERNEL_DIRECTORY])
{
	snprintf(path, KERNEL_DIRECTORY, PINS "/%s-%s", role->name,
		 L3DSR_LAYOUT);
}

void kernel_path(const struct kernel *kernel, const char *prefix,
		 const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s%s", kernel->directory, prefix, name);
}

/* Makes the pin directory and its parents. */
static int directory_make(const struct kernel *kernel, struct fault *fault_out)
{
	if (pins_make(fault_out))
		return -1;
	if (!mkdir(kernel->directory, 0700) || errno == EEXIST)
		return 0;
	fault(fault_out, "cannot make %s: %s", kernel->directory,
	      strerror(errno));
	return fault_hint(fault_out, "run it as root");
}

/* Takes the lock, or checks that it exists. Returns 0, or -1 with errno. */
static int directory_open(struct kernel *kernel, enum access access)
{
	struct stat there;

	if (access == ACCESS_READ) {
		if (stat(kernel->directory, &there))
			return -1;
		kernel->inode = there.st_ino;
		return 0;
	}
	kernel->lock = access == ACCESS_TRY ? lock_try(kernel->directory)
					    : lock_wait(kernel->directory,
							kernel->role->name);
	if (kernel->lock < 0)
		return -1;
	printing_hold();
	return 0;
}

static int not_opened(const struct kernel *kernel, struct fault *fault_out)
{
	char text[HOLDER_TEXT];
	struct holder holder;

	switch (errno) {
	case ENOENT:
		fault(fault_out, "cannot find %s: it is not up here",
		      kernel->role->program);
		fault_hint(fault_out, "%s up", kernel->role->name);
		return KERNEL_NOT_UP;
	case EWOULDBLOCK:
		lock_holder(kernel->directory, &holder);
		fault(fault_out, "cannot lock %s: %s holds it",
		      kernel->directory, holder_text(&holder, text));
		return KERNEL_BUSY;
	default:
		fault(fault_out, "cannot open %s: %s", kernel->directory,
		      strerror(errno));
		return fault_hint(fault_out, "run it as root");
	}
}

/* All words of `control`. 0, or -1 with errno. */
static int control_read(const struct kernel *kernel, __u32 *words)
{
	__u32 key = 0;
	int rc = -1, fd = kernel_map(kernel, "control");

	if (fd >= 0) {
		rc = bpf_map_lookup_elem(fd, &key, words);
		close(fd);
	}
	return rc;
}

/*
 * Which generation runs. If there is no pin, nothing has come up yet; a pin
 * that cannot be read is an error. Returns 0 or -1 with errno.
 */
static int running_look(const struct kernel *kernel, __u32 *current,
			__u64 *number)
{
	struct generation generation = {0};
	__u32 words[CONTROLS] = {0}, index;
	int generations, rc;

	*current = 0;
	*number = 0;
	if (control_read(kernel, words))
		return errno == ENOENT ? 0 : -1;
	*current = words[CONTROL_GENERATION];
	if (!*current)
		return 0;
	generations = kernel_map(kernel, "generations");
	if (generations < 0)
		return -1;
	index = *current - 1;
	rc = bpf_map_lookup_elem(generations, &index, &generation);
	close(generations);
	*number = generation.number;
	return rc;
}

/*
 * Who reads takes a map that cannot be opened for one that is not there. So
 * there must be room for all that are open at once. 0, or -1 with errno.
 */
static int descriptors_look(void)
{
	int fds[MOST_OPEN], count = 0, rc = 0;

	while (!rc && count < MOST_OPEN) {
		fds[count] = open("/", O_RDONLY | O_CLOEXEC);
		if (fds[count] < 0)
			rc = -1;
		else
			count++;
	}
	while (count--)
		close(fds[count]); /* leaves errno */
	return rc;
}

int kernel_open(struct kernel *kernel, const struct role *role,
		enum access access, struct fault *fault_out)
{
	bool makes = access == ACCESS_CREATE || access == ACCESS_TAKE_OVER;
	int rc;

	memset(kernel, 0, sizeof(*kernel));
	kernel->role = role;
	kernel->exclusive = access != ACCESS_READ;
	kernel->in_loop = access == ACCESS_TRY;
	kernel->lock = kernel->program = -1;
	libbpf_set_print(NULL); /* the tool's own message is better */
	kernel_directory(role, kernel->directory);
	if (takeover_refused(kernel, access, fault_out))
		return -1;
	/* A `down` may remove it before it is opened, or locked. */
	do {
		if (makes && directory_make(kernel, fault_out))
			return -1;
		rc = directory_open(kernel, access);
	} while (rc && (errno == ESTALE || (makes && errno == ENOENT)));
	if (rc)
		return not_opened(kernel, fault_out);
	if (!running_look(kernel, &kernel->current, &kernel->number) &&
	    !descriptors_look()) {
		kernel->was_up = kernel->current;
		return 0;
	}
	rc = errno;
	fault(fault_out, "cannot read what runs from %s: %s", kernel->directory,
	      strerror(rc));
	return fault_hint(fault_out,
			  rc == EMFILE ? "ulimit -n 1024" : "run it as root");
}

bool kernel_changed(const struct kernel *kernel)
{
	struct stat there;
	__u32 current;
	__u64 number;

	if (kernel->lock >= 0 || !kernel->inode)
		return false;
	if (stat(kernel->directory, &there) || there.st_ino != kernel->inode)
		return true;
	return running_look(kernel, &current, &number) ||
	       current != kernel->current || number != kernel->number;
}

void kernel_unlock(struct kernel *kernel)
{
	if (kernel->lock < 0)
		return;
	close(kernel->lock);
	kernel->lock = -1;
	printing_release();
}

static void attachment_close(const struct attachment *each)
{
	if (each->link >= 0)
		close(each->link);
	if (each->old_program >= 0)
		close(each->old_program);
}

void kernel_close(struct kernel *kernel)
{
	int i;

	generation_drop(kernel);
	for (i = 0; i < kernel->attachment_count; i++)
		attachment_close(&kernel->attachments[i]);
	for (i = 0; i < kernel->gone_count; i++)
		attachment_close(&kernel->gone[i]);
	for (i = 0; i < kernel->replaced_count; i++)
		close(kernel->replaced[i].map);
	bpf_object__close(kernel->object);
	kernel_unlock(kernel);
}

int kernel_pinned(const struct kernel *kernel, const char *name)
{
	char path[256];

	kernel_path(kernel, "", name, path, sizeof(path));
	return bpf_obj_get(path);
}

int kernel_map(const struct kernel *kernel, const char *name)
{
	if (kernel->object) {
		int fd = bpf_map__fd(kernel_object_map(kernel, name));

		return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	return kernel_pinned(kernel, name);
}

int kernel_pin_over(const struct kernel *kernel, int fd, const char *name,
		    struct fault *fault_out)
{
	char path[256], aside[256];

	kernel_path(kernel, "", name, path, sizeof(path));
	kernel_path(kernel, "new-", name, aside, sizeof(aside));
	unlink(aside);
	if (bpf_obj_pin(fd, aside) || rename(aside, path))
		return fault(fault_out, "cannot pin %s: %s", path,
			     strerror(errno));
	return 0;
}

/* One that this kernel cannot load has no pin. */
static int pin_program(struct kernel *kernel, const char *name,
		       struct fault *fault_out)
{
	int fd = kernel_program(kernel, name), rc;

	if (fd < 0)
		return 0;
	rc = kernel_pin_over(kernel, fd, name, fault_out);
	close(fd);
	return rc;
}

/* Is there a pin of this name; and, with *same, of this very map? */
static bool is_pinned(const struct kernel *kernel, const char *name, int fd,
		      bool *same)
{
	struct bpf_map_info own = {0}, pinned = {0};
	__u32 length = sizeof(own);
	int there = kernel_pinned(kernel, name);

	if (there < 0)
		return false;
	bpf_obj_get_info_by_fd(fd, &own, &length);
	length = sizeof(pinned);
	bpf_obj_get_info_by_fd(there, &pinned, &length);
	close(there);
	*same = own.id == pinned.id;
	return true;
}

int kernel_pin(struct kernel *kernel, bool replace, struct fault *fault_out)
{
	const char *const *name;
	bool same;
	int fd;

	for (name = kernel->role->maps; *name; name++) {
		fd = bpf_map__fd(kernel_object_map(kernel, *name));
		if (fd < 0) /* not made, for this kernel cannot */
			continue;
		if (is_pinned(kernel, *name, fd, &same) && (same || !replace))
			continue;
		if (kernel_pin_over(kernel, fd, *name, fault_out))
			return -1;
	}
	if (kernel->role->lookup &&
	    pin_program(kernel, kernel->role->lookup, fault_out))
		return -1;
	return pin_program(kernel, "clock", fault_out);
}

#define NOTES "changes" /* of what to put back: the last to go */

static int pin_remove(const struct kernel *kernel, const char *name,
		      struct fault *fault_out)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", kernel->directory, name);
	/* A watcher's is a directory. */
	if (!unlink(path) || errno == ENOENT ||
	    ((errno == EISDIR || errno == EPERM) && !rmdir(path)))
		return 0;
	return fault(fault_out, "cannot remove %s: %s", path, strerror(errno));
}

/* Removes all pins but the notes. */
static int pins_remove(const struct kernel *kernel, struct fault *fault_out)
{
	DIR *directory = opendir(kernel->directory);
	struct dirent *entry;
	int rc = 0;

	if (!directory)
		return fault(fault_out, "cannot read %s: %s", kernel->directory,
			     strerror(errno));
	while (!rc && (entry = readdir(directory))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..") &&
		    strcmp(entry->d_name, NOTES))
			rc = pin_remove(kernel, entry->d_name, fault_out);
	}
	closedir(directory);
	return rc;
}

int kernel_begin_anew(struct kernel *kernel, struct fault *fault_out)
{
	kernel->was_up = false;
	kernel->current = 0;
	kernel->number = 0;
	return pins_remove(kernel, fault_out);
}

int kernel_remove(struct kernel *kernel, struct fault *fault_out)
{
	int rc = pins_remove(kernel, fault_out);

	rc = rc ?: pin_remove(kernel, NOTES, fault_out);
	if (!rc && rmdir(kernel->directory))
		rc = fault(fault_out, "cannot remove %s: %s", kernel->directory,
			   strerror(errno));
	if (!rc)
		pins_leave();
	return rc;
}

__u32 control_get(const struct kernel *kernel, enum control word)
{
	__u32 words[CONTROLS] = {0};

	control_read(kernel, words);
	return words[word];
}

int control_set(const struct kernel *kernel, enum control word, __u32 value)
{
	struct part part;
	__u32 *words;

	words = part_open(&part, kernel, "control", 0, PROT_READ | PROT_WRITE);
	if (!words)
		return -1;
	/* Whoever sees it sees what was written before. */
	__atomic_store_n(&words[word], value, __ATOMIC_RELEASE);
	part_close(&part);
	return 0;
}
