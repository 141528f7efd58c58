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
/* What /proc/sys/PATH says now, without the newline. 0, or -1: no such. */
int sysctl_read(const char *path, char *value, size_t size);

/* Adds the VIP to lo, if it is nowhere on this host. */
int change_vip(struct kernel *kernel, const struct addr *vip,
	       struct fault *fault);

/* Notes that this tool mounted bpffs. */
int change_mount(struct kernel *kernel, struct fault *fault);

/* Puts back everything, the last first, and says so on stdout. */
void changes_undo(struct kernel *kernel);
