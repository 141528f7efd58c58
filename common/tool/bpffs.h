/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include <stdbool.h>

#include "common/tool/fault.h"

#define BPFFS "/sys/fs/bpf"

/*
 * Mounts bpffs where it is not; *mounted says whether it was not. Refuses
 * where it would be gone as soon as this command is. Returns 0, or -1 with a
 * fault.
 */
int bpffs_mount(bool *mounted, struct fault *fault);
