/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "common/base/fault.h"

#define BPFFS	 "/sys/fs/bpf"
#define PINS	 BPFFS "/l3dsr"
#define PINS_RUN PINS "/run-" /* and a role's name: see run_lock.h */

/* Makes the directory of all pins, mounting bpffs if necessary; 0 or -1. */
int pins_make(struct fault *fault);
/* Removes the directory if it is empty, and unmounts bpffs if we mounted it. */
void pins_leave(void);
