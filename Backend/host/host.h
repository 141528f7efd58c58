/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what a backend's host must have
 */
#pragma once

#include "common/kernel/kernel.h"

/* host.c: put the VIPs on lo, and answer no ARP request for them */
int bkd_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault);

/*
 * peers.c: have the kernel resolve the other backends, where second chance
 * needs their MAC addresses, and write these for xdp_bkd. 0, or -1 with a
 * fault.
 */
int bkd_peers(struct kernel *kernel, const struct config *config,
	      struct fault *fault);
/* Does the file have a service that needs them? */
bool has_peers(const struct config *config);
/* Releases those that only the generation before needed. */
void bkd_peers_settle(struct kernel *kernel, const struct config *config);
