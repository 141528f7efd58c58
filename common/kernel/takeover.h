/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * takeover.h - take over from a build with another map layout
 *
 * Its attachments are taken over without losing a packet, and so are its notes
 * of what was changed on the host. The role reads its other maps, if it knows
 * their layout (role->reads()); with --drop-flows, what they know is lost.
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Pins of another layout belong to another build of the tool. Only `up` may
 * find them (ACCESS_CREATE if it can read them, ACCESS_TAKE_OVER in any case),
 * and `down` (ACCESS_END). Returns 0, or -1 with a fault.
 */
int takeover_refused(const struct kernel *kernel, enum access access,
		     struct fault *fault);

/*
 * Opens and locks it, as *before; without a directory if there is none. Nothing
 * is changed. Returns 0, or -1 with a fault. kernel_close() is due in every
 * case.
 */
int takeover_open(const struct kernel *kernel, struct kernel *before,
		  struct fault *fault);
/* Can we undo what it has changed on the host? 0, or -1 with a fault. */
int takeover_readable(const struct kernel *before, struct fault *fault);
/* Has takeover_end() begun? */
bool takeover_is_over(const struct kernel *before);
/* Removes its pins; then there is none. 0, or -1 with a fault. */
int takeover_end(struct kernel *before, struct fault *fault);
/* The layout of its maps: "v4". */
const char *takeover_layout(const struct kernel *before);
static inline bool takeover_is(const struct kernel *before)
{
	return *before->directory;
}

/*
 * fd of a map of another build, or of our own, whose values must be of this
 * size. -1 with errno; EPROTO: they are of another one.
 */
int takeover_map(const struct kernel *before, const char *name, size_t size);

/* A word of its `control`, in each layout that can be read; 0: unknown. */
__u32 takeover_control(const struct kernel *before, enum control word);

/* Its attachments become the kernel's, for kernel_attach(). 0 or -1. */
int takeover_attachments(struct kernel *kernel, struct kernel *before,
			 struct fault *fault);
/* Copies the notes of what was changed on the host. 0, or -1 with a fault. */
int takeover_changes(const struct kernel *from, const struct kernel *to,
		     struct fault *fault);
