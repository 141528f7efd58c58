// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/local_route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "common/base/address.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/net/netlink_ask.h"

#define MESSAGE_SIZE (MNL_NLMSG_HDRLEN + 128)

static struct rtmsg *route_put(struct nlmsghdr *message,
			       const struct addr *address)
{
	struct rtmsg *route =
		mnl_nlmsg_put_extra_header(message, sizeof(*route));

	route->rtm_family = family_of(address);
	route->rtm_dst_len = addr_is_v4(address) ? 32 : 128;
	address_put(message, RTA_DST, address);
	return route;
}

/*
 * Beside the kernel's own, if an interface has the address: that one goes with
 * it.
 */
static int local_route(const struct addr *address, bool add)
{
	char buffer[MESSAGE_SIZE] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	message->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
			       (add ? NLM_F_CREATE | NLM_F_APPEND : 0);
	route = route_put(message, address);
	route->rtm_table = RT_TABLE_LOCAL;
	route->rtm_protocol = LOCAL_ROUTE_PROTOCOL;
	route->rtm_scope = RT_SCOPE_HOST;
	route->rtm_type = RTN_LOCAL;
	mnl_attr_put_u32(message, RTA_OIF, if_nametoindex("lo"));
	return netlink_ask(message, NULL, NULL);
}

static int type_answer(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	*(unsigned char *)data = route->rtm_type;
	return MNL_CB_OK;
}

bool local_route_is(const struct addr *address)
{
	char buffer[MESSAGE_SIZE] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	unsigned char type = RTN_UNSPEC;

	message->nlmsg_type = RTM_GETROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	route_put(message, address);
	return !netlink_ask(message, type_answer, &type) && type == RTN_LOCAL;
}

int local_route_add(struct kernel *kernel, const struct addr *address,
		    struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN], what[64];
	struct change change;
	int rc;

	addr_text(address, text);
	snprintf(what, sizeof(what), "route local %s", text);
	if (change_find(kernel, "local", text, &change) &&
	    (local_route_is(address) || !change_again(kernel, what)))
		return 0;
	if (change_note(kernel, "local", text, "", fault_out))
		return -1;
	rc = local_route(address, true);
	if (rc && rc != -EEXIST)
		return fault(fault_out, "cannot add route local %s: %s", text,
			     strerror(-rc));
	if (!rc)
		printf("route local %s dev lo: added\n", text);
	return 0;
}

int local_route_undo(const struct change *change, struct fault *fault_out)
{
	struct addr address;
	int rc;

	if (addr_parse(change->what, &address))
		return 0;
	rc = local_route(&address, false);
	if (rc == -ESRCH)
		return 0;
	if (rc)
		return fault(fault_out, "cannot remove route local %s: %s",
			     change->what, strerror(-rc));
	printf("route local %s dev lo: removed\n", change->what);
	return 0;
}
