// SPDX-License-Identifier: GPL-2.0-only
/*
 * address.c - addresses between text and the form that is in maps
 *
 * Both families share one struct: IPv4 is ::ffff:a.b.c.d. Law: for every
 * address, addr_parse(addr_text(a)) is a.
 */
#include "common/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/core/address.h"
#include "common/core/inline.h"

const char *addr_text(const struct addr *addr, char *text)
{
	if (addr_is_v4(addr))
		return inet_ntop(AF_INET, &addr->w[3], text, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, addr->w, text, INET6_ADDRSTRLEN);
}

int addr_parse(const char *text, struct addr *addr)
{
	struct addr parsed = {.w = {[2] = V4_MAPPED}};

	if (inet_pton(AF_INET, text, &parsed.w[3]) != 1 &&
	    inet_pton(AF_INET6, text, parsed.w) != 1)
		return -1;
	*addr = parsed;
	return 0;
}

const char *mac_text(const __u8 *mac, char *text)
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
	return text;
}

unsigned int socket_address(struct sockaddr_storage *to,
			    const struct addr *address, __be16 port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof(*to));
	if (addr_is_v4(address)) {
		v4->sin_family = AF_INET;
		v4->sin_port = (FORCE in_port_t)port;
		v4->sin_addr.s_addr = (FORCE in_addr_t)address->w[3];
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = (FORCE in_port_t)port;
	memcpy(&v6->sin6_addr, address, sizeof(*address));
	return sizeof(*v6);
}
