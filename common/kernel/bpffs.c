// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpffs.c - mount a bpffs that lasts
 *
 * A container has none at first, so it is mounted. Under `ip netns exec` there
 * is none either, because the command gets a mount namespace with a new /sys;
 * that namespace ends with the command, and all pins with it. The difference:
 * in a container there is another process that is not an ancestor of ours, so
 * it does not wait for us.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/kernel/bpffs.h"
#include "common/kernel/lock.h"

/* Marks that we mounted it; the last role that goes down unmounts it. */
#define MOUNTED PINS "/mounted"

/* The mount namespace of a process, as text; empty if we may not read it. */
static void namespace_of(int process, char *text, size_t size)
{
	char path[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", process);
	length = readlink(path, text, size - 1);
	text[length < 0 ? 0 : length] = '\0';
}

static int parent_of(int process)
{
	char path[64], line[256];
	int parent = 0;
	FILE *file;

	/* In `stat`, a process's name may look like the fields behind it. */
	snprintf(path, sizeof(path), "/proc/%d/status", process);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	}
	if (file)
		fclose(file);
	return parent;
}

static bool is_ancestor(int process)
{
	int each = getpid();

	while (each > 0 && each != process)
		each = parent_of(each);
	return each == process;
}

/* Is there a process in our mount namespace that is not an ancestor of ours? */
static bool namespace_stays(void)
{
	char own[64], other[64];
	DIR *directory = opendir("/proc");
	struct dirent *entry;
	bool stays = false;
	int process;

	namespace_of(getpid(), own, sizeof(own));
	while (directory && !stays && (entry = readdir(directory))) {
		process = atoi(entry->d_name);
		if (process <= 0)
			continue;
		namespace_of(process, other, sizeof(other));
		stays = !strcmp(own, other) &&
			(process == 1 || !is_ancestor(process));
	}
	if (directory)
		closedir(directory);
	return stays;
}

/*
 * Mounts bpffs if it is not mounted; *mounted says whether this was done.
 * Refuses if the mount would vanish with this command. Returns 0, or -1 with a
 * fault.
 */
static int bpffs_mount(bool *mounted, struct fault *fault_out)
{
	struct statfs fs;

	*mounted = false;
	if (!statfs(BPFFS, &fs) && (__u32)fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (geteuid() != 0) {
		fault(fault_out, "cannot mount bpffs on " BPFFS ": not root");
		return fault_hint(fault_out, "run it as root");
	}
	if (!namespace_stays()) {
		fault(fault_out,
		      "cannot mount bpffs on " BPFFS
		      ": this mount namespace ends with the command");
		return fault_hint(fault_out,
				  "nsenter --net=/run/netns/NAME instead of "
				  "ip netns exec NAME");
	}
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=0700")) {
		fault(fault_out, "cannot mount bpffs on " BPFFS ": %s",
		      strerror(errno));
		return fault_hint(fault_out,
				  "run it as root; a container needs "
				  "CAP_NET_ADMIN and CAP_SYS_ADMIN");
	}
	*mounted = true;
	return 0;
}

int pins_make(struct fault *fault_out)
{
	bool mounted;

	if (bpffs_mount(&mounted, fault_out))
		return -1;
	if ((!mkdir(PINS, 0700) || errno == EEXIST) &&
	    (!mounted || !mkdir(MOUNTED, 0700)))
		return 0;
	fault(fault_out, "cannot make " PINS ": %s", strerror(errno));
	return fault_hint(fault_out, "run it as root");
}

/* What a killed `run` left behind. */
static void runs_remove(void)
{
	DIR *directory = opendir(PINS);
	struct dirent *entry;
	char path[512];
	int fd;

	while (directory && (entry = readdir(directory))) {
		snprintf(path, sizeof(path), PINS "/%s", entry->d_name);
		if (strncmp(path, PINS_RUN, strlen(PINS_RUN)))
			continue;
		fd = lock_try(path);
		if (fd < 0)
			continue;
		rmdir(path);
		close(fd);
	}
	if (directory)
		closedir(directory);
}

void pins_leave(void)
{
	bool last;

	runs_remove();
	last = !rmdir(MOUNTED);
	if (!rmdir(PINS) && last)
		umount2(BPFFS, MNT_DETACH);
	else if (last)
		mkdir(MOUNTED, 0700); /* another role is still here */
}
