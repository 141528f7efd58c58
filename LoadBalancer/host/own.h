/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * own.h - VIPs that are addresses of this host; see own.c
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "common/config/config.h"
#include "common/kernel/kernel.h"

/* Writes the map `own_addresses`. Returns 0, or -1 with a fault. */
int own_write(const struct kernel *kernel, struct fault *fault);

/*
 * Calls `say` once for each VIP of the file. Returns 0, or -1 if this host's
 * addresses cannot be read.
 */
int own_vips(const struct config *config,
	     void (*say)(void *data, const struct addr *vip, bool is_own),
	     void *data);

/*
 * Which key of the file has packets for this VIP, no address of this host,
 * passed up: "unmatched: pass", "on-all-down: pass"; NULL: none.
 */
const char *own_passes(const struct config *config, const struct addr *vip);
