// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/check_veth.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "common/net/netlink_ask.h"

#define DEVICE	 "lbr-check0"
#define MARK	 0x6c6272 /* and the number of its table */
#define PRIORITY 1

static int rule_remove(__u8 family)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct fib_rule_hdr *rule;

	message->nlmsg_type = RTM_DELRULE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	rule = mnl_nlmsg_put_extra_header(message, sizeof(*rule));
	rule->family = family;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(message, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_u32(message, FRA_FWMARK, MARK);
	mnl_attr_put_u32(message, FRA_TABLE, MARK);
	return netlink_ask(message, NULL, NULL);
}

static int device_remove(void)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = RTM_DELLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, DEVICE);
	return netlink_ask(message, NULL, NULL);
}

bool check_veth_remove(void)
{
	bool was = !rule_remove(AF_INET);

	was |= !rule_remove(AF_INET6);
	was |= !device_remove();
	return was;
}
