/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what the load balancer's host must have, and what is done about it
 */
#pragma once

#include "common/kernel/kernel.h"

/* host.c: forwarding on, redirects off */
int lbr_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault);
/* own.c: what the user should know of VIPs that this host has, or lacks */
void lbr_notes(const struct config *config, FILE *out);
/* redirect_refused.c: counts packets that the kernel drops after a redirect */
int lbr_redirect_refused(const struct kernel *kernel, struct fault *fault);
/* claims.c: VIPs answered for by ARP and ND, as the file says */
int lbr_claims(struct kernel *kernel, const struct config *config,
	       const char *const *names, struct fault *fault);
void lbr_claims_settle(struct kernel *kernel, const struct config *config);
/* neighbours.c: next hops kept fresh, and those no longer needed let go */
void lbr_neighbours(struct kernel *kernel, const struct config *config);
void lbr_neighbours_settle(struct kernel *kernel, const struct config *config);
