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
#include <time.h>

#include "common/tool/kernel.h"

/*
 * What `run` has set again on the host, and when. What somebody else sets back
 * twice within AGAIN_SECONDS is left as it is, until `up` or `apply` sets it.
 */
#define AGAIN_SECONDS 60
#define AGAIN_MOST    256
struct again {
	int count;
	struct {
		char what[112];
		time_t at;
		bool left;
	} rows[AGAIN_MOST];
};
/*
 * May `what`, which is not as `up` has set it, be set once more? Always, but by
 * `run`. What is left is said once, and noted for doctor.
 */
bool change_again(struct kernel *kernel, const char *what);
/* It could not be set, so nobody can set it back. */
void change_again_failed(struct kernel *kernel, const char *what);
/* The interface is a new one: what was set back on the old one says nothing. */
void change_again_new(struct kernel *kernel, const char *name);

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

/* Notes the mode in which the program is attached to an interface. */
int change_mode(struct kernel *kernel, const char *name, bool native,
		struct fault *fault);

/*
 * Notes that speak of an interface speak of it by the name that it has now, or,
 * where it is gone, of the one that has its name.
 */
void changes_follow(struct kernel *kernel);

/* Adds the VIP, which no interface has, to lo. 0, or -1 with a fault. */
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
/* Puts back those that `needed` does not say yes to. */
/*
 * Undoes and forgets the changes of a kind whose `what` is no longer needed.
 * What cannot be undone stays noted.
 */
void changes_keep(struct kernel *kernel, const char *kind,
		  bool (*needed)(const char *what, const void *data),
		  const void *data);
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
