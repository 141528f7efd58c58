/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pins.h - the pinned links, for attach.c
 */
#pragma once

#include "common/kernel/kernel.h"

/* The path of the pin for an interface of this name. */
void link_path(const struct kernel *kernel, const char *interface, char *path,
	       size_t size);

/* By the interface's current name, or the name of one that is gone; or NULL. */
struct attachment *attachment_of(struct kernel *kernel, const char *name);
struct attachment *gone_of(struct kernel *kernel, const char *name);
/* One more, without a link yet; NULL: there are MAX_INTERFACES. */
struct attachment *attachment_new(struct kernel *kernel, const char *name);

/* The program on an interface of this network namespace: its id, or 0. */
__u32 program_attached(int ifindex);
