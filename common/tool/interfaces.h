/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "common/tool/kernel.h"

/*
 * Writes the MAC addresses by which frames for the attached interfaces come:
 * each interface's own, and those of macvlan devices on it (VRRP). Returns 0,
 * or -1 with a fault.
 */
int interfaces_write(struct kernel *kernel, struct fault *fault);

/*
 * Is there an address that is not in the program's list? 1, and *missing; 0;
 * or -1 with a fault.
 */
int interfaces_lack(const struct kernel *kernel, struct interface *missing,
		    struct fault *fault);
