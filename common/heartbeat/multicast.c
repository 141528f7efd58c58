// SPDX-License-Identifier: GPL-2.0-only
#include "common/heartbeat/multicast.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/address.h"
#include "common/config/health.h"
#include "common/core/address.h"
#include "common/core/inline.h"
#include "common/net/netlink.h"

#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29 /* Linux 4.20; not in every libc */
#endif

static bool is_in(const struct addr *address, const struct prefix *prefix)
{
	__u32 bit, mask;

	for (bit = 0; bit < prefix->bits; bit += 32) {
		mask = prefix->bits - bit >= 32
			       ? ~0u
			       : ~(~0u >> (prefix->bits - bit));
		if ((bpf_ntohl(address->w[bit / 32]) ^
		     bpf_ntohl(prefix->address.w[bit / 32])) &
		    mask)
			return false;
	}
	return true;
}

static bool is_in_any(const struct config *config, const struct addr *address)
{
	size_t i;

	for (i = 0; i < config->heartbeat_network_count; i++) {
		if (is_in(address, &config->heartbeat_networks[i]))
			return true;
	}
	return false;
}

static int add(int *ifindexes, int count, int ifindex)
{
	int i;

	for (i = 0; i < count; i++) {
		if (ifindexes[i] == ifindex)
			return count;
	}
	if (count < HEARTBEAT_INTERFACES)
		ifindexes[count++] = ifindex;
	return count;
}

int heartbeat_interfaces(const struct config *config,
			 int ifindexes[HEARTBEAT_INTERFACES],
			 struct fault *fault_out)
{
	struct link_address *rows;
	int count, i, found = 0;

	ifindexes[0] = 0;
	if (!config->heartbeat_network_count)
		return 1;
	count = addresses_read(&rows, fault_out);
	for (i = 0; i < count; i++) {
		if (is_in_any(config, &rows[i].address))
			found = add(ifindexes, found, rows[i].ifindex);
	}
	if (count >= 0)
		free(rows);
	if (count >= 0 && !found)
		return fault(fault_out, "no interface has an address in "
					"heartbeat-network");
	return count < 0 ? -1 : found;
}

int heartbeat_socket(int family)
{
	static const int on = 1;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return fd;
}

/* Only what was joined here; when it came, and how many did not fit. */
static void listen_set(int fd, int family)
{
	static const int on = 1, off = 0, buffer = 4 << 20;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MULTICAST_ALL, &off, sizeof(off));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &off,
			   sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
}

int heartbeat_listen(int family, __be16 port)
{
	struct sockaddr_storage any;
	struct addr address = {0};
	int fd = heartbeat_socket(family), error;
	socklen_t length;

	if (fd < 0)
		return -1;
	listen_set(fd, family);
	if (family == AF_INET)
		addr_set_v4(&address, 0);
	length = socket_address(&any, &address, port);
	if (!bind(fd, (struct sockaddr *)&any, length))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int heartbeat_join(int fd, const struct addr *group, int ifindex)
{
	struct group_req request = {.gr_interface = (unsigned int)ifindex};
	int level = addr_is_v4(group) ? IPPROTO_IP : IPPROTO_IPV6;

	socket_address(&request.gr_group, group, 0);
	return setsockopt(fd, level, MCAST_JOIN_GROUP, &request,
			  sizeof(request)) &&
			       errno != EADDRINUSE
		       ? -1
		       : 0;
}

int heartbeat_send(int fd, const void *datagram, size_t length,
		   const struct addr *to, __be16 port, int ifindex)
{
	bool ipv4 = addr_is_v4(to);
	struct ip_mreqn by = {.imr_ifindex = ifindex};
	struct sockaddr_storage end;
	socklen_t size = socket_address(&end, to, port);
	int rc = 0;

	if (addr_is_group(to) && ipv4)
		rc = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &by,
				sizeof(by));
	else if (addr_is_group(to))
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &ifindex,
				sizeof(ifindex));
	if (rc)
		return -1;
	return sendto(fd, datagram, length, MSG_NOSIGNAL,
		      (struct sockaddr *)&end, size) < 0
		       ? -1
		       : 0;
}

/* "010000EF" of /proc/net/igmp: a word of memory; "ff15...4242" of igmp6. */
static void group_text(const struct addr *group, char text[33])
{
	const __u8 *bytes = (const __u8 *)group->w;
	__u32 word;
	int i;

	memcpy(&word, &group->w[3], sizeof(word));
	if (addr_is_v4(group)) {
		snprintf(text, 33, "%08X", word);
		return;
	}
	for (i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

int heartbeat_has_joined(const struct addr *group)
{
	FILE *file = fopen(
		addr_is_v4(group) ? "/proc/net/igmp" : "/proc/net/igmp6", "re");
	char line[256], text[33];
	int found = 0;

	if (!file)
		return -1;
	group_text(group, text);
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, text) != NULL;
	fclose(file);
	return found;
}
