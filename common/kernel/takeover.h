/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * takeover.h - take over from a build with another map layout
 *
 * Its maps are not read: what they know about flows is lost. Its attachments
 * are taken over without losing a packet, and so are its notes of what was
 * changed on the host.
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Is there a pin directory of another layout? Its path in `path`, or false.
 */
bool takeover_find(const struct kernel *kernel, char *path, size_t size);

/*
 * Opens and locks it, as *before; without a directory if there is none. Nothing
 * is changed. Returns 0, or -1 with a fault. kernel_close() is due in every
 * case.
 */
int takeover_open(const struct kernel *kernel, struct kernel *before,
		  struct fault *fault);
static inline bool takeover_is(const struct kernel *before)
{
	return *before->directory;
}

/* Its attachments become the kernel's, for kernel_attach(). 0 or -1. */
int takeover_attachments(struct kernel *kernel, struct kernel *before,
			 struct fault *fault);
/* Copies the notes of what was changed on the host. 0, or -1 with a fault. */
int takeover_changes(const struct kernel *from, const struct kernel *to,
		     struct fault *fault);
