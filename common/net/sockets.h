/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sockets.h - the sockets of this network namespace, as sock_diag(7) lists them
 */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"
#include "common/core/abi.h"

struct socket_row {
	struct addr local; /* IPv4 as ::ffff:a.b.c.d; see is_wildcard */
	__be16 port;	   /* the local one, wire order */
	bool is_wildcard;  /* bound to no address: any of this host's */
	bool takes_ipv4;   /* IPv4 socket, or IPv6's that takes both */
	bool takes_ipv6;
};

/*
 * Those to which a packet of a new flow may come, of `protocol` (IPPROTO_TCP,
 * IPPROTO_UDP) and of both families: that listen, or of UDP are not connected.
 * *list is to be freed. Returns their number, or -1 with a fault.
 */
int sockets_read(int protocol, struct socket_row **list, struct fault *fault);
