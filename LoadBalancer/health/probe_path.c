// SPDX-License-Identifier: GPL-2.0-only
/*
 * probe_path.c - the path of health checks, as probes use it
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "LoadBalancer/health/check_path.h"
#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/core/address.h"
#include "common/kernel/clsact.h"
#include "common/net/routes.h"

/*
 * Binds a direct one, as clients' packets are sent from there, to the first
 * address of `nat-source` that is this host's, if any.
 */
static void source_bind(const struct config *config, const struct probe *probe,
			int fd)
{
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

static int direct_socket(const struct check_path *path, struct probe *probe,
			 __u8 protocol)
{
	int fd = socket(addr_is_v4(&probe->backend) ? AF_INET : AF_INET6,
			(protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) |
				SOCK_NONBLOCK | SOCK_CLOEXEC,
			0);

	if (fd < 0)
		return -1;
	probe->elsewhere = elsewhere(&probe->backend);
	source_bind(path->config, probe, fd);
	return fd;
}

static int make_socket(void *path, struct probe *probe, __u8 protocol)
{
	struct check_end end = {.vip = probe->vip,
				.backend = probe->backend,
				.port = probe->port,
				.backend_id = probe->backend_id,
				.protocol = protocol};

	if (probe->direct)
		return direct_socket(path, probe, protocol);
	return check_path_socket(path, &end, &probe->key, &probe->elsewhere);
}

static enum reason reason(void *path, const struct check_key *key)
{
	return check_path_reason(path, key);
}

static void ask(void *path, const struct addr *backend)
{
	(void)path;
	check_path_ask(backend);
}

static void forget(void *data, const struct check_key *key, __u32 backend_id)
{
	const struct check_path *path = data;

	if (path->id)
		check_path_forget(path, key, backend_id);
}

static void unheard(void *path, const struct probe *probe, const char *name)
{
	char vip[64], backend[INET6_ADDRSTRLEN];

	(void)path;
	printf("%s: backend %s cannot be checked: %s; try: lbr up -i %s\n",
	       endpoint_text(&probe->vip, probe->port, vip),
	       addr_text(&probe->backend, backend), probe->result.why, name);
}

void check_path_calls(struct check_path *path, struct probe_path *calls)
{
	*calls = (struct probe_path){make_socket, reason,  ask,
				     forget,	  unheard, path};
}
