// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/lock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/base/elapsed.h"
#include "common/base/printing.h"

#define PATIENCE 0.9 /* seconds that we wait before we say for whom */

int lock_try(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error;
	struct stat locked, there;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &locked)) {
		error = errno;
	} else {
		/* The last holder may have removed the directory. */
		error = stat(path, &there)		? errno
			: there.st_ino != locked.st_ino ? ESTALE
							: 0;
		if (!error)
			return fd;
		error = error == ENOENT ? ESTALE : error;
	}
	close(fd);
	errno = error;
	return -1;
}

/* Says for whom we wait, after a while: of each holder, and when it stops. */
static void tell(struct lock_waiting *waiting, const char *path,
		 const char *tool)
{
	char text[HOLDER_TEXT], line[512];
	struct holder *holder = &waiting->holder;
	int length;

	if (seconds_now() - waiting->since < PATIENCE)
		return;
	/* One that is not found has just ended, or is never to be seen. */
	if (!lock_holder(path, holder) && waiting->is_told)
		return;
	if (waiting->is_told && holder->pid == waiting->told &&
	    (!holder->stopped || waiting->told_stopped))
		return;
	waiting->is_told = true;
	waiting->told_stopped = holder->stopped;
	waiting->told = holder->pid;
	length = snprintf(line, sizeof(line),
			  "%s%swaiting for %s, which holds %s\n", tool,
			  *tool ? ": " : "", holder_text(holder, text), path);
	if (holder->stopped && length < (int)sizeof(line))
		snprintf(line + length, sizeof(line) - (size_t)length,
			 "  try: kill -CONT %d\n", (int)holder->pid);
	printing_now(line);
}

int lock_wait(const char *path, const char *tool)
{
	static const struct timespec pause = {0, 10 * 1000 * 1000};
	struct lock_waiting waiting = {.since = seconds_now()};
	int fd;

	while ((fd = lock_try(path)) < 0 && errno == EWOULDBLOCK) {
		tell(&waiting, path, tool);
		nanosleep(&pause, NULL);
	}
	return fd;
}

/* The process of a line of /proc/locks that holds this very lock; or 0. */
static pid_t holder_of(const char *line, const struct stat *file)
{
	unsigned int major_is, minor_is;
	unsigned long inode;
	int pid;

	/* Those that wait have "->" where the kind of lock is. */
	if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &major_is,
		   &minor_is, &inode) != 4 ||
	    inode != file->st_ino || major_is != major(file->st_dev) ||
	    minor_is != minor(file->st_dev))
		return 0;
	return pid;
}

/* The first line, or all of a file of /proc. */
static size_t proc_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	length = fread(text, 1, size - 1, file);
	fclose(file);
	text[length] = '\0';
	return length;
}

/* Tool and verb of a process, from its command line; "": it has ended. */
static void command_of(pid_t pid, char *command, size_t size)
{
	char text[256], *word = text, *slash;
	size_t length = proc_read(pid, "cmdline", text, sizeof(text)), i;

	*command = '\0';
	if (!length)
		return;
	slash = strrchr(text, '/');
	if (slash)
		word = slash + 1;
	i = strlen(word) + 1;
	if (length > (size_t)(word - text) + i)
		snprintf(command, size, "%.23s %.20s", word, word + i);
	else
		snprintf(command, size, "%.23s", word);
	for (; *command; command++) {
		if (!isprint((unsigned char)*command))
			*command = '?';
	}
}

static bool is_stopped(pid_t pid)
{
	char text[256], *state;

	if (!proc_read(pid, "stat", text, sizeof(text)))
		return false;
	/* The name may hold anything but ends with the last bracket. */
	state = strrchr(text, ')');
	return state && (state[1] && (state[2] == 'T' || state[2] == 't'));
}

bool lock_holder(const char *path, struct holder *holder)
{
	struct stat file;
	char line[256];
	FILE *locks;

	memset(holder, 0, sizeof(*holder));
	locks = stat(path, &file) ? NULL : fopen("/proc/locks", "re");
	while (locks && !holder->pid && fgets(line, sizeof(line), locks))
		holder->pid = holder_of(line, &file);
	if (locks)
		fclose(locks);
	if (holder->pid <= 0)
		return false;
	command_of(holder->pid, holder->command, sizeof(holder->command));
	holder->stopped = is_stopped(holder->pid);
	return true;
}

const char *holder_text(const struct holder *holder, char text[HOLDER_TEXT])
{
	if (holder->pid <= 0)
		strcpy(text, "a process that cannot be seen from here");
	else if (!*holder->command)
		snprintf(text, HOLDER_TEXT, "a child of pid %d, which is gone",
			 (int)holder->pid);
	else
		snprintf(text, HOLDER_TEXT, "'%s' (pid %d%s)", holder->command,
			 (int)holder->pid, holder->stopped ? ", stopped" : "");
	return text;
}

void lock_tried(struct lock_waiting *waiting, const char *path, bool busy)
{
	double waited = lock_waited(waiting);

	if (busy) {
		if (!waiting->since)
			waiting->since = seconds_now();
		tell(waiting, path, "");
		return;
	}
	if (waiting->is_told)
		printf("%s is free, after %.1f s\n", path, waited);
	memset(waiting, 0, sizeof(*waiting));
}

double lock_waited(const struct lock_waiting *waiting)
{
	return waiting->since ? seconds_now() - waiting->since : 0;
}
