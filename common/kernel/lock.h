/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lock.h - the lock of a directory: one process at a time
 *
 * It is a flock(2), so it ends with its process. A process that waits is told
 * who holds it: the kernel lists holders in /proc/locks, except those of other
 * PID namespaces.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/fault.h"

struct holder {
	pid_t pid; /* 0: not visible from here */
	bool stopped;
	char command[48]; /* "lbr apply", printable; empty: it has ended */
};

#define HOLDER_TEXT 96

/*
 * Takes the lock of the directory `path`, unless another process has it.
 * Returns an fd that holds it until it is closed; -1 with errno, EWOULDBLOCK
 * where another has it, ESTALE where the directory was replaced meanwhile: try
 * again.
 */
int lock_try(const char *path);
/* The same, and waits; after 1 s it prints on stderr for whom. */
int lock_wait(const char *path, const char *tool);

/* Who holds it; false: unknown. */
bool lock_holder(const char *path, struct holder *holder);
/* "'lbr apply' (pid 123, stopped)" */
const char *holder_text(const struct holder *holder, char text[HOLDER_TEXT]);

/*
 * What an event loop has reported of a lock that another process holds. The
 * loop must not wait; it tries again. Begins as zero.
 */
struct lock_waiting {
	double since; /* CLOCK_MONOTONIC; 0: nobody is waited for */
	pid_t told;
	bool is_told, told_stopped;
	struct holder holder; /* who was last */
};

/*
 * Call it after each try. Prints who holds the lock: after 1 s, when the holder
 * is another one, and when it has been stopped.
 */
void lock_tried(struct lock_waiting *waiting, const char *path, bool busy);
/* Seconds waited; 0: none. */
double lock_waited(const struct lock_waiting *waiting);
