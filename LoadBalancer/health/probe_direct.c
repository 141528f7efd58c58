// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_direct.c - the socket of a probe that asks at the backend's own address
 */
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "LoadBalancer/health/probe_steps.h"
#include "common/core/address.h"
#include "common/kernel/clsact.h"
#include "common/net/routes.h"

/* Binds it to the first address of `nat-source` that is this host's, if any. */
static void source_bind(const struct probe *probe, int fd)
{
	const struct config *config = probe->prober->path->config;
	bool is_ipv4 = addr_is_v4(&probe->backend);
	struct sockaddr_storage own;
	socklen_t length;
	int on = 1;
	size_t i;

	/* Or 28,000 connections are the most to all backends together. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	for (i = 0; i < config->nat_source_count; i++) {
		const struct addr *source = &config->nat_sources[i].address;

		if (addr_is_v4(source) != is_ipv4)
			continue;
		length = socket_address(&own, source, 0);
		if (!bind(fd, (struct sockaddr *)&own, length))
			return;
	}
}

/*
 * The interface by which answers will come, if no program is there that would
 * translate a client's: its ifindex, or 0.
 */
static int elsewhere(const struct addr *backend)
{
	char name[IF_NAMESIZE];
	struct fault ignored;
	struct next_hop hop;

	if (route_read(backend, &hop, &ignored) || !hop.ifindex ||
	    !if_indextoname((unsigned int)hop.ifindex, name) ||
	    clsact_attached(name, CLSACT_IN))
		return 0;
	return hop.ifindex;
}

int probe_direct_socket(struct probe *probe, int type)
{
	int fd = socket(addr_is_v4(&probe->backend) ? AF_INET : AF_INET6,
			type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	probe->elsewhere = 0;
	if (fd < 0 || !probe->judges_path)
		return fd;
	probe->elsewhere = elsewhere(&probe->backend);
	source_bind(probe, fd);
	return fd;
}

bool probe_direct_has_left(const struct probe *probe)
{
	int bytes;

	return !ioctl(probe->fd, SIOCOUTQ, &bytes) && !bytes;
}
