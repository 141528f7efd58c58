// SPDX-License-Identifier: GPL-2.0-only
/*
 * listening.c - the sockets of heartbeats, their groups and keys: see
 * heartbeats.h
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "LoadBalancer/health/heartbeats.h"
#include "common/base/address.h"
#include "common/config/health.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/heartbeat/multicast.h"

static void say_once(struct heartbeats *heartbeats, const struct fault *is)
{
	if (strcmp(heartbeats->said.cause, is->cause))
		fault_warn(is);
	heartbeats->said = *is;
}

void heartbeats_init(struct heartbeats *heartbeats, const struct role *role,
		     struct event_base *base, struct checks *checks)
{
	int i;

	heartbeats->role = role;
	heartbeats->base = base;
	heartbeats->checks = checks;
	heartbeats->map = -1;
	for (i = 0; i < 2; i++) {
		heartbeats->sockets[i].all = heartbeats;
		heartbeats->sockets[i].fd = -1;
	}
}

static void sockets_close(struct heartbeats *heartbeats)
{
	struct heartbeat_socket *socket;
	int i;

	for (i = 0; i < 2; i++) {
		socket = &heartbeats->sockets[i];
		if (socket->readable)
			event_free(socket->readable);
		socket->readable = NULL;
		if (socket->fd >= 0)
			close(socket->fd);
		socket->fd = -1;
	}
}

/* 0, or -1 with errno. */
static int socket_open(struct heartbeat_socket *socket, int family, __be16 port,
		       struct event_base *base)
{
	socket->fd = heartbeat_listen(family, port);
	if (socket->fd < 0)
		return -1;
	socket->overflowed = 0;
	socket->readable = event_new(base, socket->fd, EV_READ | EV_PERSIST,
				     heartbeats_readable, socket);
	errno = ENOMEM;
	return socket->readable ? event_add(socket->readable, NULL) : -1;
}

/* 0, or -1 with a fault. A host may have no IPv6. */
static int sockets_open(struct heartbeats *heartbeats, struct event_base *base,
			struct fault *fault_out)
{
	__be16 port = heartbeats->checks->config->heartbeat_port;

	if (heartbeats->sockets[0].fd >= 0 && heartbeats->port == port)
		return 0;
	sockets_close(heartbeats);
	heartbeats->port = port;
	if (!socket_open(&heartbeats->sockets[0], AF_INET, port, base) &&
	    (!socket_open(&heartbeats->sockets[1], AF_INET6, port, base) ||
	     errno == EAFNOSUPPORT))
		return 0;
	fault(fault_out, "cannot listen for heartbeats at port %u: %s",
	      bpf_ntohs(port), strerror(errno));
	sockets_close(heartbeats);
	return -1;
}

/* ... and the interfaces of `lbr up`, if the file names none. */
static int interfaces_add(const struct heartbeats *heartbeats, int *ifindexes,
			  int count)
{
	struct kernel kernel;
	struct fault ignored;
	struct interface row;
	int map = -1;
	__u32 i;

	if (!kernel_open(&kernel, heartbeats->role, ACCESS_READ, &ignored))
		map = kernel_map(&kernel, "interfaces");
	for (i = 0; map >= 0 && count < HEARTBEAT_INTERFACES; i++) {
		if (i >= MAX_INTERFACES || bpf_map_lookup_elem(map, &i, &row) ||
		    !row.ifindex)
			break;
		ifindexes[count++] = (int)row.device;
	}
	if (map >= 0)
		close(map);
	kernel_close(&kernel);
	return count;
}

/* 0, or -1 with a fault: it has joined nowhere. */
static int join(struct heartbeats *heartbeats, const struct addr *group,
		const int *ifindexes, int count, struct fault *fault_out)
{
	int fd = heartbeats->sockets[!addr_is_v4(group)].fd, i, joined = 0;
	char text[INET6_ADDRSTRLEN];

	if (fd < 0)
		return 0;
	for (i = 0; i < count; i++)
		joined += !heartbeat_join(fd, group, ifindexes[i]);
	if (joined)
		return 0;
	return fault(fault_out, "cannot join %s for heartbeats: %s",
		     addr_text(group, text), strerror(errno));
}

/* 0, or -1 with a fault: no group, or one that the file names, was joined. */
static int groups_join(struct heartbeats *heartbeats, struct fault *fault_out)
{
	const struct config *config = heartbeats->checks->config;
	struct addr targets[HEARTBEAT_TARGETS];
	int ifindexes[HEARTBEAT_INTERFACES];
	int count = heartbeat_interfaces(config, ifindexes, fault_out);
	int i, targets_count, failed = 0, groups = 0;

	if (count < 0)
		return -1;
	if (!config->heartbeat_network_count)
		count = interfaces_add(heartbeats, ifindexes, count);
	targets_count = heartbeat_targets(config, targets);
	for (i = 0; i < targets_count; i++) {
		if (!addr_is_group(&targets[i]))
			continue;
		groups++;
		failed += join(heartbeats, &targets[i], ifindexes, count,
			       fault_out) != 0;
	}
	return failed && (config->heartbeat_to_count || failed == groups) ? -1
									  : 0;
}

static void map_again(struct heartbeats *heartbeats)
{
	struct kernel kernel;
	struct fault ignored;

	if (heartbeats->map >= 0)
		close(heartbeats->map);
	heartbeats->map = -1;
	if (!kernel_open(&kernel, heartbeats->role, ACCESS_READ, &ignored))
		heartbeats->map = kernel_map(&kernel, "heartbeats");
	kernel_close(&kernel);
}

void heartbeats_follow(struct heartbeats *heartbeats, bool again)
{
	char path[HEARTBEAT_PATH];
	struct fault said = {0};
	int rc;

	if (!heartbeats_wanted(heartbeats->checks->config)) {
		sockets_close(heartbeats);
		return;
	}
	if (again || heartbeats->map < 0)
		map_again(heartbeats);
	rc = heartbeat_keys_follow(heartbeat_keys_path(heartbeats->file, path),
				   &heartbeats->keys, &said);
	if (rc < 0)
		fault_warn(&said);
	rc = sockets_open(heartbeats, heartbeats->base, &said)
		     ?: groups_join(heartbeats, &said);
	if (rc)
		say_once(heartbeats, &said);
	else
		memset(&heartbeats->said, 0, sizeof(heartbeats->said));
}

void heartbeats_stop(struct heartbeats *heartbeats)
{
	sockets_close(heartbeats);
	if (heartbeats->map >= 0)
		close(heartbeats->map);
	heartbeats->map = -1;
	heartbeat_keys_free(&heartbeats->keys);
}
