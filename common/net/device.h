/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device.h - what a network device itself says of it
 */
#pragma once

#include <stdbool.h>

#include "common/core/abi.h"

/* ETH_FLAG_* of <linux/ethtool.h>; 0 where it does not say. */
__u32 device_flags(const char *name);
/* The largest packet it takes; 0: there is no such device. */
int device_mtu(const char *name);
/* Is it up, and is there a carrier? */
bool device_runs(const char *name, bool *is_up);
