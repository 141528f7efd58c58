// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/claim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/host/change.h"
#include "common/net/netlink_ask.h"

#define MESSAGE_SIZE (MNL_NLMSG_HDRLEN + 128)

static int proxy(const struct addr *address, int ifindex, bool add)
{
	char buffer[MESSAGE_SIZE] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ndmsg *info;

	message->nlmsg_type = add ? RTM_NEWNEIGH : RTM_DELNEIGH;
	message->nlmsg_flags =
		NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE : 0);
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ndm_family = family_of(address);
	info->ndm_ifindex = ifindex;
	info->ndm_flags = NTF_PROXY;
	address_put(message, NDA_DST, address);
	return netlink_ask(message, NULL, NULL);
}

/* ADDRESS/32 dev lo. */
static int route_to_lo(const struct addr *address, bool add)
{
	char buffer[MESSAGE_SIZE] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	message->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
			       (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
	route->rtm_family = family_of(address);
	route->rtm_dst_len = addr_is_v4(address) ? 32 : 128;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_LINK;
	route->rtm_type = RTN_UNICAST;
	address_put(message, RTA_DST, address);
	mnl_attr_put_u32(message, RTA_OIF, if_nametoindex("lo"));
	return netlink_ask(message, NULL, NULL);
}

static int sysctls(struct kernel *kernel, const char *interface, bool ipv6,
		   struct fault *fault_out)
{
	char path[128];
	int rc = 0;

	/* Otherwise an answer is delayed by a random time of up to 0.8 s. */
	snprintf(path, sizeof(path), "net/ipv%d/neigh/%.15s/proxy_delay",
		 ipv6 ? 6 : 4, interface);
	rc = change_sysctl(kernel, path, "0", fault_out);
	if (rc || !ipv6)
		return rc;
	snprintf(path, sizeof(path), "net/ipv6/conf/%.15s/proxy_ndp",
		 interface);
	return change_sysctl(kernel, path, "1", fault_out);
}

static int route_add(struct kernel *kernel, const struct addr *address,
		     struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN];
	struct change change;
	int rc;

	addr_text(address, text);
	if (change_find(kernel, "route", text, &change))
		return 0;
	rc = route_to_lo(address, true);
	if (rc == -EEXIST) /* somebody else's entry, on any device */
		return 0;
	if (rc)
		return fault(fault_out, "cannot add route %s dev lo: %s", text,
			     strerror(-rc));
	if (!change_note(kernel, "route", text, "", fault_out))
		return 0;
	route_to_lo(address, false);
	return -1;
}

int claim_add(struct kernel *kernel, const struct addr *address,
	      const char *interface, struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN], what[112];
	bool ipv6 = !addr_is_v4(address);
	struct change change;
	int rc;

	snprintf(what, sizeof(what), "%s dev %.15s", addr_text(address, text),
		 interface);
	if (sysctls(kernel, interface, ipv6, fault_out) ||
	    (!ipv6 && route_add(kernel, address, fault_out)))
		return -1;
	if (!change_find(kernel, "claim", what, &change)) {
		if (change_note(kernel, "claim", what, "", fault_out))
			return -1;
		printf("claim: %s: answered by %s\n", what,
		       ipv6 ? "ND" : "ARP");
	}
	/* Even if it was noted: it may be gone with its interface. */
	rc = proxy(address, (int)if_nametoindex(interface), true);
	if (rc)
		return fault(fault_out, "cannot claim %s: %s", what,
			     strerror(-rc));
	return 0;
}

int claim_undo(const struct change *change, struct fault *fault_out)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	struct addr address;
	unsigned int ifindex;
	int rc;

	if (sscanf(change->what, "%45s dev %15s", text, name) != 2 ||
	    addr_parse(text, &address))
		return 0;
	ifindex = if_nametoindex(name);
	rc = ifindex ? proxy(&address, (int)ifindex, false) : 0;
	if (rc && rc != -ENOENT)
		return fault(fault_out, "cannot end the claim of %s: %s",
			     change->what, strerror(-rc));
	printf("claim: %s: ended\n", change->what);
	return 0;
}

int claim_route_undo(const struct change *change, struct fault *fault_out)
{
	struct addr address;
	int rc;

	if (addr_parse(change->what, &address))
		return 0;
	rc = route_to_lo(&address, false);
	if (rc && rc != -ESRCH && rc != -ENODEV)
		return fault(fault_out, "cannot remove route %s dev lo: %s",
			     change->what, strerror(-rc));
	return 0;
}
