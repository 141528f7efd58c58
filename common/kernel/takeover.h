/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * predecessor.h - what a build with another map layout has up
 *
 * Its maps are not read: what they say of flows is lost. Its attachments are
 * taken over with no packet lost, and its notes of what was changed on the
 * host.
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * Is there another layout's directory of pins? Its path in `path`, or false.
 */
bool predecessor_find(const struct kernel *kernel, char *path, size_t size);

/*
 * Opens and locks it, as *before; one without a directory where there is none.
 * Nothing is changed. Returns 0, or -1 with a fault. kernel_close() is due in
 * every case.
 */
int predecessor_open(const struct kernel *kernel, struct kernel *before,
		     struct fault *fault);
static inline bool predecessor_is(const struct kernel *before)
{
	return *before->directory;
}

/* Its attachments become the kernel's, for kernel_attach(). 0 or -1. */
int predecessor_attachments(struct kernel *kernel, struct kernel *before,
			    struct fault *fault);
/* Copies the notes of what was changed on the host. 0, or -1 with a fault. */
int predecessor_changes(const struct kernel *from, const struct kernel *to,
			struct fault *fault);
