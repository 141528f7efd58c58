/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * multicast.h - the sockets of heartbeats, and the interfaces of their groups
 */
#pragma once

#include <stdbool.h>

#include "common/base/fault.h"
#include "common/config/config.h"

#define HEARTBEAT_INTERFACES 16

/*
 * The interfaces with an address in `heartbeat-network`, each once: their
 * ifindexes. Returns their number, or -1 with a fault: it is not known, or
 * there is none. Without the key 1, and ifindexes[0] is 0: that of the route.
 */
int heartbeat_interfaces(const struct config *config,
			 int ifindexes[HEARTBEAT_INTERFACES],
			 struct fault *fault);

/*
 * A socket, not blocking, of AF_INET or AF_INET6 (and then of that only). Its
 * fd, or -1 with errno.
 */
int heartbeat_socket(int family);
/* To listen at this port of any address; the kernel says when one came. */
int heartbeat_listen(int family, __be16 port);
/* ifindex 0: the route's. Also if it has joined. 0, or -1 with errno. */
int heartbeat_join(int fd, const struct addr *group, int ifindex);
/*
 * To an address, or out of an interface to a group. 0, or -1 with errno.
 */
int heartbeat_send(int fd, const void *datagram, size_t length,
		   const struct addr *to, __be16 port, int ifindex);
/*
 * Has this host joined the group, on any interface? 1, 0, or -1: that cannot be
 * read.
 */
int heartbeat_has_joined(const struct addr *group);
