/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host.h - what a backend's host must have
 */
#pragma once

#include "common/kernel/kernel.h"

/*
 * host.c: put the VIPs on lo, or give this host local routes for them, and
 * answer no ARP request for them
 */
int bkd_host(struct kernel *kernel, const struct config *config,
	     const char *const *interfaces, struct fault *fault);
/* Undoes what only the generation before needed. */
void bkd_settle(struct kernel *kernel, const struct config *config);

/* own_address.c: the services whose server listens on this host's own address
 */
/* The service's backend that is this host; NULL: none. */
const struct config_backend *backend_here(const struct config_service *service,
					  const struct addr *own, int count);
/* The address on which the service's server here is to listen. */
const struct addr *listened_at(const struct config_service *service,
			       const struct config_backend *here);
/* Does the file have such a service here? */
bool serves_at_own(const struct config *config, const struct addr *own,
		   int count);
/* Has this host give them what is for their VIPs. 0, or -1 with a fault. */
int own_address_host(struct kernel *kernel, const struct config *config,
		     const struct addr *own, int count, struct fault *fault);
void own_address_settle(struct kernel *kernel, const struct config *config);
/*
 * own_tc.c: bkd_in and bkd_out at each interface of xdp_bkd, for what this
 * host's kernel gives to no socket. If one is missing, it is attached again; by
 * `run`, until somebody removes it twice. Returns 0, or -1 with a fault.
 */
int own_tc_host(struct kernel *kernel, struct fault *fault);
void own_tc_remove(struct kernel *kernel);

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
