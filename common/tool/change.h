/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * change.h - what a tool changes on the host, and how it is put back
 *
 * Before anything is changed, what it was is written into the pinned map
 * `changes`. So `down` can put it back also after a crash, and a second `up`
 * does not take the first one's change for the host's own setting.
 */
#pragma once

#include <stdio.h>

#include "common/tool/kernel.h"

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

/* Adds the VIP to lo, if it is nowhere on this host. */
int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault);

/* Notes an address that was named as this host's. */
int change_address(struct kernel *kernel, const struct addr *address,
		   struct fault *fault);
/* Those that were; at most `room`. Their number. */
int change_addresses(const struct kernel *kernel, struct addr *addresses,
		     int room);

/*
 * Has the kernel keep a neighbour's entry fresh (see neighbours.h): *is_new.
 * One that is managed already, or set for good, is left alone. Returns 0, or -1
 * with a fault.
 */
int change_neighbour(struct kernel *kernel, int ifindex,
		     const struct addr *address, bool *is_new,
		     struct fault *fault);
/* Puts back those that `needed` does not say yes to. */
void change_neighbours_keep(struct kernel *kernel,
			    bool (*needed)(int ifindex,
					   const struct addr *address,
					   const void *data),
			    const void *data);

/*
 * For who makes a change: writes it down, unless that thing is there already;
 * what was written of it; the `i`th thing that was, false behind the last.
 */
int change_note(struct kernel *kernel, const char *kind, const char *what,
		const char *before, struct fault *fault);
bool change_read(const struct kernel *kernel, __u32 i, struct change *change);
bool change_find(const struct kernel *kernel, const char *kind,
		 const char *what, struct change *change);

/*
 * Puts back everything, the last first, and says so on stdout. Returns 0, or
 * -1 with the fault of the last thing that could not be put back.
 */
int changes_undo(struct kernel *kernel, struct fault *fault);
