/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once

#include "common/core/abi_packets.h"
#include "common/kernel/kernel.h"

struct config;

/*
 * Writes the list: the MAC addresses of the attached interfaces, and of macvlan
 * devices on them (VRRP), and what the program sends from there: the first
 * address that is no VIP of `config`. NULL: that stays as it is. `run` prints
 * each change. Returns 0, or
 * -1 with a fault.
 */
int interfaces_write(struct kernel *kernel, const struct config *config,
		     struct fault *fault);

/*
 * Prints what interfaces_write() would change, a line each. Returns 0, or -1
 * with a fault.
 */
int interfaces_differ(const struct kernel *kernel, const struct config *config,
		      struct fault *fault);

/*
 * Does the program's list lack a MAC address, or (unless `config` is NULL) does
 * a device send from other addresses than the list says? Returns which of the
 * two, and in *missing the right row; 0 if neither; or -1 with a fault.
 */
#define INTERFACES_MAC	  1
#define INTERFACES_SOURCE 2
int interfaces_lack(const struct kernel *kernel, const struct config *config,
		    struct interface *missing, struct fault *fault);
