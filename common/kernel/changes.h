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
 * Writes a change down, unless that thing is there already;
 * what was written of it; the `i`th thing that was, false behind the last.
 */
int change_note(struct kernel *kernel, const char *kind, const char *what,
		const char *before, struct fault *fault);
bool change_read(const struct kernel *kernel, __u32 i, struct change *change);
bool change_find(const struct kernel *kernel, const char *kind,
		 const char *what, struct change *change);

/* Entry `i` of that map; false behind the last. */
bool change_at(int map, __u32 i, struct change *change);
/* Forgets entry `i`: those behind it move up. */
void change_forget(int map, __u32 i);

/* Notes the mode in which the program is attached to an interface. */
int change_mode(struct kernel *kernel, const char *name, bool native,
		struct fault *fault);

/*
 * Notes that speak of an interface speak of it by the name that it has now, or,
 * where it is gone, of the one that has its name.
 */
void changes_follow(struct kernel *kernel);

/* Notes an address that was named as this host's. */
int change_address(struct kernel *kernel, const struct addr *address,
		   struct fault *fault);
/* Those that were; at most `room`. Their number. */
int change_addresses(const struct kernel *kernel, struct addr *addresses,
		     int room);

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
