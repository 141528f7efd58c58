/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"

#define BPFFS	 "/sys/fs/bpf"
#define PINS	 BPFFS "/l3dsr"
#define PINS_RUN PINS "/run-" /* and a role's name: see run_lock.h */

/*
 * Mounts bpffs where it is not; *mounted says whether it was not. Refuses
 * where it would be gone as soon as this command is. Returns 0, or -1 with a
 * fault.
 */
int bpffs_mount(bool *mounted, struct fault *fault);

/* Makes the directory of all pins, and mounts what it lies in; 0 or -1. */
int pins_make(struct fault *fault);
/* Removes it where it is empty, and undoes the mount if that was ours. */
void pins_leave(void);
