/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * device.h - what the kernel says about a network device
 */
#pragma once

#include <stdbool.h>

#include "common/core/abi.h"

/* ETH_FLAG_* of <linux/ethtool.h>; 0 if the driver does not say. */
__u32 device_flags(const char *name);
/* Does it merge received packets (GRO)? False if the driver does not say. */
bool device_merges(const char *name);
/* The MTU; 0: there is no such device. */
int device_mtu(const char *name);
/*
 * Are there MAC addresses to be resolved on it? Not on a tunnel. False for what
 * is not there.
 */
bool device_resolves(const char *name);
/* Is the device up, with a carrier? */
bool device_runs(const char *name, bool *is_up);
