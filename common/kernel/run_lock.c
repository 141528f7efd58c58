// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/run_lock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/kernel/bpffs.h"

#define TRIES 50 /* at 10 ms: one may be about to end, or be a doctor */

static void path_of(const struct role *role, char *path, size_t size)
{
	snprintf(path, size, PINS_RUN "%s", role->name);
}

int run_lock(const struct role *role, struct fault *fault_out)
{
	static const struct timespec pause = {0, 10 * 1000 * 1000};
	char path[64], text[HOLDER_TEXT];
	struct holder holder;
	int fd, left = TRIES;

	path_of(role, path, sizeof(path));
	for (;;) {
		if (pins_make(fault_out))
			return -1;
		if (mkdir(path, 0700) && errno != EEXIST)
			break;
		fd = lock_try(path);
		if (fd >= 0)
			return fd;
		if ((errno != EWOULDBLOCK && errno != ESTALE &&
		     errno != ENOENT) ||
		    !left--)
			break;
		nanosleep(&pause, NULL);
	}
	if (errno != EWOULDBLOCK) {
		fault(fault_out, "cannot run: %s: %s", path, strerror(errno));
		return fault_hint(fault_out, "run it as root");
	}
	lock_holder(path, &holder);
	return fault(fault_out, "cannot run: another `%s run` does: %s",
		     role->name, holder_text(&holder, text));
}

void run_unlock(const struct role *role, int fd)
{
	char path[64];

	if (fd < 0)
		return;
	path_of(role, path, sizeof(path));
	rmdir(path);
	close(fd);
	pins_leave();
}

int run_is_alive(const struct role *role, struct fault *fault_out)
{
	char path[64];
	int fd;

	path_of(role, path, sizeof(path));
	fd = lock_try(path);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == ENOENT || errno == ESTALE)
		return 0;
	if (errno == EWOULDBLOCK)
		return 1;
	return fault(fault_out, "cannot see whether %s run is alive: %s: %s",
		     role->name, path, strerror(errno));
}
