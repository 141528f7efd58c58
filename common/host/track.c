// SPDX-License-Identifier: GPL-2.0-only
/*
 * track.c - files for keepalived's `track_file`: see announce.h
 *
 * They stay behind `down`, and say -254: for keepalived a file that is gone
 * would be as good as one that says 0.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/host/announce.h"
#include "common/host/change.h"

#define ALL "all"

static void track_path(const char *directory, const struct addr *vip,
		       char path[PATH_MAX])
{
	char text[INET6_ADDRSTRLEN];

	snprintf(path, PATH_MAX, "%s/%s", directory,
		 vip ? addr_text(vip, text) : ALL);
}

bool track_read(const char *directory, const struct addr *vip, int *priority)
{
	char path[PATH_MAX], text[16] = "", *end;
	ssize_t length;
	int fd;

	track_path(directory, vip, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	*priority = (int)strtol(text, &end, 10);
	return length > 0 && end != text;
}

/* Beside it, and then over it. 0, or -1 with errno. */
static int replace(const char *path, int priority)
{
	char beside[PATH_MAX + 8];
	int fd, rc;

	snprintf(beside, sizeof(beside), "%s.new", path);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
		  0644);
	if (fd < 0)
		return -1;
	/* Whoever reads it need not be root, whatever the umask is. */
	rc = dprintf(fd, "%d\n", priority) < 0 || fchmod(fd, 0644) ? -1 : 0;
	rc = close(fd) ? -1 : rc;
	return rc ?: rename(beside, path);
}

int track_write(const char *directory, const struct addr *vip,
		enum announced announced, struct fault *fault_out)
{
	int priority = announced_priority(announced), was;
	char path[PATH_MAX];

	if (track_read(directory, vip, &was) && was == priority)
		return 0;
	track_path(directory, vip, path);
	if (mkdir(directory, 0755) && errno != EEXIST)
		return fault(fault_out, "cannot make directory %s: %s",
			     directory, strerror(errno));
	if (replace(path, priority))
		return fault(fault_out, "cannot write %s: %s", path,
			     strerror(errno));
	return 0;
}

int track_note(struct kernel *kernel, const char *directory,
	       struct fault *fault_out)
{
	return change_note(kernel, "track", directory, "", fault_out);
}

/* Only files that we would write. */
int track_undo(const struct change *change, struct fault *fault_out)
{
	DIR *directory = opendir(change->what);
	const struct dirent *entry;
	struct addr vip;
	int rc = 0;

	/* A directory that is gone announces nothing. */
	while (directory && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ALL))
			rc |= track_write(change->what, NULL, ANNOUNCED_NOT,
					  fault_out);
		else if (!addr_parse(entry->d_name, &vip))
			rc |= track_write(change->what, &vip, ANNOUNCED_NOT,
					  fault_out);
	}
	if (directory)
		closedir(directory);
	return rc;
}
