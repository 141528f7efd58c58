/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink.h - the links and addresses of this host
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>

#include "common/base/fault.h"
#include "common/core/abi.h"

struct link {
	int ifindex;
	int lower;  /* ifindex of the device below it; 0: none */
	int master; /* of the bond or bridge that it belongs to; 0: none */
	__u32 mtu;  /* bytes of an IP packet */
	__u16 type; /* ARPHRD_* */
	char name[IF_NAMESIZE];
	char kind[16]; /* "veth", "macvlan", ...; "" for hardware */
	__u8 mac[6];
	__u16 vlan_id; /* of a VLAN device ... */
	__be16 vlan_protocol;
};

struct link_address {
	int ifindex;
	struct addr address;
	__u8 prefix; /* prefix length, in bits */
	bool local;  /* it is surely not a peer's */
};

/* Returns 0, or -1 with a fault if there is no such interface. */
int link_find(const char *name, struct link *link, struct fault *fault);

/*
 * All links; all addresses. *list is to be freed. Returns their number, or -1
 * with a fault.
 */
int links_read(struct link **list, struct fault *fault);
int addresses_read(struct link_address **list, struct fault *fault);
/* Is it one of these? */
bool addresses_have(const struct link_address *list, int count,
		    const struct addr *address);

/* Adds or removes ADDRESS/32 or /128 on the loopback device. 0 or -errno. */
int address_on_lo(const struct addr *address, bool add);
