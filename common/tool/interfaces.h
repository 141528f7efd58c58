/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "common/tool/kernel.h"

/*
 * Writes the MAC addresses by which frames for the attached interfaces come:
 * each interface's own, and those of macvlan devices on it (VRRP). Returns 0,
 * or -1 with a fault.
 */
int interfaces_write(struct kernel *kernel, struct fault *fault);
