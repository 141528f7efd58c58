// SPDX-License-Identifier: GPL-2.0-only
/*
 * address.c - addresses between text and the form that is in maps
 *
 * Both families share one struct: IPv4 is ::ffff:a.b.c.d. Law: for every
 * address, addr_parse(addr_text(a)) is a.
 */
#include "common/base/address.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "common/core/address.h"

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
