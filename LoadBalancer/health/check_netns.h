/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_netns.h - the network namespace of the health checks' sockets
 *
 * If the VIP is an address of this host, a connection to it never leaves the
 * host's namespace, and the kernel drops replies from it as martians. The
 * host's rules, sysctls and firewall apply there, too. This namespace has only
 * a veth: all packets leave by it, and what comes in by it is for a socket
 * here, whatever its addresses. The host sees only the far end of the veth,
 * which is gone when the process ends, however it ends.
 */
#pragma once

#include "common/base/fault.h"

#define CHECK_NEAR "lbr-check0" /* the veth's end inside */
#define CHECK_FAR  "lbr-check1" /* ... and in the host's namespace */

struct check_netns {
	int host, own; /* fds; -1: there is none */
	int pass;      /* ... of a link, see check_netns_pass() */
};

/* Returns 0, or -1 with a fault; *netns is then without fds. */
int check_netns_make(struct check_netns *netns, struct fault *fault);
void check_netns_remove(struct check_netns *netns);
/*
 * Attaches a program that passes everything to the end inside, natively. A veth
 * then drops packets of more than a page, as GRO makes them. Returns 0, or -1
 * with a fault.
 */
int check_netns_pass(struct check_netns *netns, struct fault *fault);
/*
 * A socket inside, of AF_INET or AF_INET6, that may be bound to an address that
 * does not exist there. Returns its fd, or -1 with errno.
 */
int check_netns_socket(const struct check_netns *netns, int family, int type);
