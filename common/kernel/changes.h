/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * changes.h - the log of what was changed on the host: rows of a pinned map
 *
 * Before anything is changed, what it was is written into the map `changes`.
 * So `down` can put it back also after a crash, and a second `up` does not take
 * the first one's change for the host's own setting.
 */
#pragma once

#include <time.h>

#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"

/*
 * Writes down that `what` is about to be changed, and what it was `before`. A
 * thing that is there already keeps its row. Returns 0, or -1 with a fault.
 */
int change_note(struct kernel *kernel, const char *kind, const char *what,
		const char *before, struct fault *fault);
/* The row number `i`; false behind the last. */
bool change_read(const struct kernel *kernel, __u32 i, struct change *change);
/* The row of this kind for `what`; false: there is none. */
bool change_find(const struct kernel *kernel, const char *kind,
		 const char *what, struct change *change);

/* change_read(), from the fd of the map. */
bool change_at(int map, __u32 i, struct change *change);
/* Removes the rows for which goes() is true; the others keep their order. */
void changes_forget(struct kernel *kernel,
		    bool (*goes)(const struct change *change, const void *data),
		    const void *data);

/* Notes the mode in which the program is attached to an interface. */
int change_mode(struct kernel *kernel, const char *name, bool native,
		struct fault *fault);

/*
 * Renames the interfaces in the rows to the names that they have now. A row of
 * an interface that is gone belongs to the one that has its name.
 */
void changes_follow(struct kernel *kernel);

/* Notes an address that was named as this host's. */
int change_address(struct kernel *kernel, const struct addr *address,
		   struct fault *fault);
/* Reads those addresses, at most `room`. Returns their number. */
int change_addresses(const struct kernel *kernel, struct addr *addresses,
		     int room);

/*
 * What `run` has set again on the host, and when. What somebody else sets back
 * twice within AGAIN_SECONDS is left as it is, until `up` or `apply` sets it.
 */
#define AGAIN_SECONDS 60
struct again_row {
	char what[112];
	time_t at; /* seconds of CLOCK_MONOTONIC; 0: never */
	bool left;
};
struct again {
	struct again_row *rows;
	int count, room;
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
