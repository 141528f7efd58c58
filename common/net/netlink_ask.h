/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * netlink_ask.h - one request to rtnetlink, and its answers
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "common/core/abi.h"

/* Sends the request and reads all answers. Returns 0 or -errno. */
int netlink_ask(struct nlmsghdr *question, mnl_cb_t answer, void *data);

/* The same for another netlink family: NETLINK_*. */
int netlink_ask_of(int bus, struct nlmsghdr *question, mnl_cb_t answer,
		   void *data);

/*
 * Sends the request for a dump, and reads it. The kernel interrupts a dump if
 * what it lists changes: then it is requested again, at most ten times. `begin`
 * empties *data before each; NULL: there is nothing to empty. Returns 0 or
 * -errno.
 */
int netlink_dump(int bus, struct nlmsghdr *question, mnl_cb_t answer,
		 void *data, void (*begin)(void *data));

/*
 * netlink_dump() of rtnetlink's objects of a type (RTM_GET*) and family (AF_*);
 * `head`: the size of the header that begins with the family.
 */
int netlink_dump_family(__u16 type, int family, size_t head, mnl_cb_t answer,
			void *data, void (*begin)(void *data));

/*
 * Does this answer to a request for a route say that no packet to the address
 * leaves this host?
 */
bool route_is_none(int rc);

/* An address as an attribute has it. Returns 0, or -1: neither family. */
int address_get(const struct nlattr *attribute, struct addr *address);
/*
 * What an attribute of a route says of its next hop: RTA_OIF, RTA_GATEWAY, or
 * RTA_VIA, a gateway of the other family. Others are ignored.
 */
void hop_get(const struct nlattr *attribute, int *ifindex, struct addr *via);
void address_put(struct nlmsghdr *message, __u16 type,
		 const struct addr *address);
__u8 family_of(const struct addr *address);
