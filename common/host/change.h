/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * change.h - what a tool changes on the host, and how it is undone
 *
 * Before anything is changed, what it was is noted (see changes.h).
 */
#pragma once

#include "common/kernel/changes.h"

/*
 * Sets /proc/sys/PATH to `value` and prints that, unless it has this value.
 * Returns 0, or -1 with a fault.
 */
int change_sysctl(struct kernel *kernel, const char *path, const char *value,
		  struct fault *fault);
/* Notes the value of /proc/sys/PATH, because something else will change it. */
int change_expected(struct kernel *kernel, const char *path,
		    struct fault *fault);
/* Reads /proc/sys/PATH, without the newline. 0, or -1 if there is none. */
int sysctl_read(const char *path, char *value, size_t size);

/* Adds the VIP, which no interface has, to lo. 0, or -1 with a fault. */
int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault);

/*
 * Makes a neighbour's entry managed (see neighbours.h). One that is managed and
 * has no MAC address is asked again now: the kernel does so each 5 s only, and
 * may forget an entry that has failed before that. *is_asked: an answer may be
 * on its way. Permanent entries are left alone. Returns 0, or -1 with a fault.
 */
int change_neighbour(struct kernel *kernel, int ifindex,
		     const struct addr *address, bool *is_asked,
		     struct fault *fault);
struct route_hop;
/* Reads the entries that we manage, at most `room`. Returns their number. */
int change_neighbours(const struct kernel *kernel, struct route_hop *hops,
		      int room);
/*
 * Makes entries managed again that were flushed or lost with the carrier. If an
 * interface `rose` (its carrier came back), its unresolved entries are resolved
 * at once; 0: none rose.
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
