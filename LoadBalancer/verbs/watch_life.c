// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/verbs/watch_life.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/kernel/kernel.h"
#include "common/kernel/lock.h"

#define LIFE_PATH (KERNEL_DIRECTORY + 32)

static void life_path(const struct role *role, __u32 id, char path[LIFE_PATH])
{
	char directory[KERNEL_DIRECTORY];

	kernel_directory(role, directory);
	snprintf(path, LIFE_PATH, "%s/watch-%u", directory, id);
}

int life_begin(const struct role *role, __u32 id)
{
	char path[LIFE_PATH];

	life_path(role, id, path);
	/* The kernel gives an id again only after all others. */
	if (mkdir(path, 0700) && errno != EEXIST)
		return -1;
	return lock_try(path);
}

bool life_is_over(const struct role *role, __u32 id)
{
	char path[LIFE_PATH];
	int fd;

	life_path(role, id, path);
	fd = lock_try(path);
	if (fd < 0)
		return errno == ENOENT || errno == ESTALE;
	close(fd);
	return true;
}

void life_end(const struct role *role, __u32 id)
{
	char path[LIFE_PATH];

	life_path(role, id, path);
	rmdir(path);
}
