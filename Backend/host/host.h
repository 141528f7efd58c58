/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what a backend's host must have
 */
#pragma once

#include "common/kernel/kernel.h"

/* host.c: put the VIPs on lo, and answer no ARP request for them */
int bkd_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault);
