/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockets.h - the sockets of this network namespace, from sock_diag(7)
 */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"
#include "common/core/abi.h"

struct socket_row {
	struct addr local; /* IPv4 as ::ffff:a.b.c.d; see is_wildcard */
	__be16 port;	   /* the local one, wire order */
	bool is_wildcard;  /* bound to no address: to any of this host's */
	bool takes_ipv4;   /* an IPv4 socket, or one of IPv6 that takes both */
	bool takes_ipv6;
	struct addr peer; /* of a connection */
	__be16 peer_port; /* wire order */
};

/*
 * Sockets that may receive a packet of a new flow, of `protocol` (IPPROTO_TCP,
 * IPPROTO_UDP) and both families: listening ones, for UDP those that are not
 * connected.
 * *list is to be freed. Returns their number, or -1 with a fault.
 */
int sockets_read(int protocol, struct socket_row **list, struct fault *fault);
/* The same of TCP connections, from SYN-RECEIVED to LAST-ACK. */
int connections_read(struct socket_row **list, struct fault *fault);
