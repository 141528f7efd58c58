/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * change.h - what a tool changes on the host, and how it is put back
 *
 * Before anything is changed, what it was is noted (see changes.h).
 */
#pragma once

#include "common/kernel/changes.h"

/*
 * Sets /proc/sys/PATH to `value`, if it is not that already, and says so on
 * stdout. Returns 0, or -1 with a fault.
 */
int change_sysctl(struct kernel *kernel, const char *path, const char *value,
		  struct fault *fault);
/* Notes what /proc/sys/PATH is, for it will be changed by something else. */
int change_expected(struct kernel *kernel, const char *path,
		    struct fault *fault);
/* What /proc/sys/PATH says now, without the newline. 0, or -1: no such. */
int sysctl_read(const char *path, char *value, size_t size);

/* Adds the VIP, which no interface has, to lo. 0, or -1 with a fault. */
int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault);

/*
 * Has the kernel keep a neighbour's entry fresh (see neighbours.h): *is_new.
 * One that is managed already, or set for good, is left alone. Returns 0, or -1
 * with a fault.
 */
int change_neighbour(struct kernel *kernel, int ifindex,
		     const struct addr *address, bool *is_new,
		     struct fault *fault);
struct way;
/* Those that are kept fresh; at most `room`. Their number. */
int change_neighbours(const struct kernel *kernel, struct way *ways, int room);
/*
 * Has the kernel keep fresh again what it lost: entries that were flushed or
 * went with the carrier. Those of `rose`, an interface whose carrier has come
 * back, are asked for at once where they are not resolved; 0: of none.
 */
void change_neighbours_again(struct kernel *kernel,
			     bool (*rose)(const void *data, int ifindex),
			     const void *data);
/*
 * Undoes and forgets the changes of a kind whose `what` is no longer needed.
 * What cannot be undone stays noted.
 */
void changes_keep(struct kernel *kernel, const char *kind,
		  bool (*needed)(const char *what, const void *data),
		  const void *data);
/* The same of neighbours. */
void change_neighbours_keep(struct kernel *kernel,
			    bool (*needed)(int ifindex,
					   const struct addr *address,
					   const void *data),
			    const void *data);

/*
 * Puts back everything, the last first, and says so on stdout. Returns 0, or
 * -1 with the fault of the last thing that could not be put back.
 */
int changes_undo(struct kernel *kernel, struct fault *fault);
