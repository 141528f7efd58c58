/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * address.h - addresses as text: IP (see struct addr) and MAC
 */
#pragma once

#include "common/core/abi.h"

/* Text of an address; `text` holds INET6_ADDRSTRLEN. IPv4 in dotted form. */
const char *addr_text(const struct addr *addr, char *text);
/*
 * 0, or -1 where `text` is neither an IPv4 nor an IPv6 address. Takes any
 * address, also ones that a file may not name.
 */
int addr_parse(const char *text, struct addr *addr);

struct sockaddr_storage;
/* Fills in *to; returns the length of the socket address. */
unsigned int socket_address(struct sockaddr_storage *to,
			    const struct addr *address, __be16 port);

/* "02:42:ac:11:00:03"; `text` holds 18 bytes. */
const char *mac_text(const __u8 *mac, char *text);
