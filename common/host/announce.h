/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * announce.h - what this host announces of VIPs: a route and a file for each
 *
 * A routing daemon learns routes from the kernel, keepalived reads files. Both
 * stay as they are when `lbr run` ends. What is announced is noted ("announce",
 * before: how; "track", the directory), so that `show` knows it and `down`
 * removes just that.
 */
#pragma once

#include "common/config/announce.h"
#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"

#define ANNOUNCED_WHAT 112 /* as struct change has it */

/* A VIP that is announced. */
struct announced_vip {
	char what[ANNOUNCED_WHAT]; /* "192.0.2.1 table 107 protocol 107" */
	struct addr vip;
	enum announced announced;
	__u32 metric; /* of its route; 0: it has none */
	__u32 row;    /* of the map `changes` */
};

/* How this VIP is noted if it is announced by these keys. */
void announced_what(const struct config_announce *announce,
		    const struct addr *vip, char what[ANNOUNCED_WHAT]);
/*
 * Reads all that are noted, sorted by `what`; *vips is to be freed. Returns
 * their number, or -1 with a fault.
 */
int announced_read(const struct kernel *kernel, struct announced_vip **vips,
		   struct fault *fault);
/* NULL: it is not announced so. */
const struct announced_vip *announced_find(const struct announced_vip *vips,
					   int count, const char *what);

/*
 * Announces a VIP as `wanted`, which is not ANNOUNCED_NOT, by the route; a
 * change prints a line. `old`: its row, or NULL. The better route is never
 * missed: it comes before the other one goes. Returns 0, or -1 with a fault.
 */
int announce_vip(struct kernel *kernel, const struct config_announce *announce,
		 const struct addr *vip, enum announced wanted,
		 const struct announced_vip *old, struct fault *fault);

/*
 * Refuses a table that is somebody else's: with a route that is not of our
 * protocol, or one that is but was not made by us. Returns 0, or -1 with a
 * fault that names it.
 */
int announce_refuse(const struct kernel *kernel, const struct config *config,
		    struct fault *fault);

struct nlmsghdr;
/* Does this message say that one of our routes was removed? */
bool announce_is_removed(const struct config_announce *announce,
			 const struct nlmsghdr *message);

/* Notes the directory of track files. Returns 0, or -1 with a fault. */
int track_note(struct kernel *kernel, const char *directory,
	       struct fault *fault);
/*
 * Writes a VIP's file (NULL: `all`), unless it says so already. Who reads it
 * sees the old or the new number, and no part. Returns 0, or -1 with a fault.
 */
int track_write(const char *directory, const struct addr *vip,
		enum announced announced, struct fault *fault);
/* What a VIP's file says. False: there is none. */
bool track_read(const char *directory, const struct addr *vip, int *priority);

/*
 * `lbr leave`: nothing is announced until `lbr up`. Withdraws all, and says so.
 * Returns 0, or -1 with a fault.
 */
int announce_leave(struct kernel *kernel, struct fault *fault);
bool announce_has_left(const struct kernel *kernel);
/* After `lbr up`. */
void announce_return(struct kernel *kernel);

/* Undo one of these changes. Return 0, or -1 with a fault. */
int announce_undo(const struct change *change, struct fault *fault);
int track_undo(const struct change *change, struct fault *fault);
