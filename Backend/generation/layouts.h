/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * layouts.h - the layouts of earlier releases that `up` takes over
 *
 * What the file no longer has, but is restored until load balancers have
 * drained, is read from the pins of that release (common/kernel/takeover.h). A
 * row of its map `restores` becomes today's. Of flows xdp_bkd remembers
 * nothing.
 */
#pragma once

#include "Backend/generation/generation.h"

struct restore_layout {
	const char *name; /* its L3DSR_LAYOUT */
	size_t size;	  /* bytes of a value of `restores` */
	/*
	 * That map is a hash, and this reads a value of it. NULL: it has one
	 * struct restores, as it is today.
	 */
	void (*restore)(const void *old, struct restore *new);
};

/* The largest value of a hash. */
#define MOST_RESTORE 256

/* Today's. */
extern const struct restore_layout restore_layout_own;
/* An earlier one; NULL: it cannot be read. */
const struct restore_layout *restore_layout(const char *name);
bool restore_layout_is_known(const char *name);

/* restores_read(), by a layout; NULL: -1, with errno EPROTO. */
int restores_read_as(const struct kernel *kernel, __u32 index,
		     const struct restore_layout *layout,
		     struct restore_row **rows);
