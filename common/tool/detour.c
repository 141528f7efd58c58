// SPDX-License-Identifier: GPL-2.0-only
#include "common/tool/detour.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tool/netlink_ask.h"

#define TABLE	 DETOUR_MARK
#define PRIORITY 1 /* before all but the host's own addresses */

/* <net/if.h> and <linux/if.h> cannot both be had. */
unsigned int if_nametoindex(const char *name);

static const __u8 families[] = {AF_INET, AF_INET6};

struct question {
	char buffer[MNL_NLMSG_HDRLEN + 512];
	struct nlmsghdr *message;
	void *head;
};

static void ask(struct question *question, __u16 type, __u16 flags, size_t head)
{
	memset(question, 0, sizeof(*question));
	question->message = mnl_nlmsg_put_header(question->buffer);
	question->message->nlmsg_type = type;
	question->message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	question->head = mnl_nlmsg_put_extra_header(question->message, head);
}

static int pair_make(void)
{
	struct question question;
	struct nlattr *info, *data, *peer;
	struct nlmsghdr *message;

	ask(&question, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(struct ifinfomsg));
	message = question.message;
	mnl_attr_put_strz(message, IFLA_IFNAME, DETOUR_NEAR);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, DETOUR_FAR);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return netlink_ask(message, NULL, NULL);
}

/* Nobody resolves anything on it: there is one end to reach. */
static int end_up(const char *name)
{
	struct question question;
	struct ifinfomsg *info;

	ask(&question, RTM_NEWLINK, 0, sizeof(*info));
	info = question.head;
	info->ifi_flags = IFF_UP | IFF_NOARP;
	info->ifi_change = IFF_UP | IFF_NOARP;
	mnl_attr_put_strz(question.message, IFLA_IFNAME, name);
	return netlink_ask(question.message, NULL, NULL);
}

/* As on a wire: checksums are complete, packets no larger than a link takes. */
static int offload_off(void)
{
	struct ethtool_value value = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq request = {.ifr_data = (void *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	strcpy(request.ifr_name, DETOUR_NEAR);
	rc = ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
	close(fd);
	return rc;
}

static int rule(__u8 family, __u16 type, __u16 flags)
{
	struct question question;
	struct fib_rule_hdr *rule;

	ask(&question, type, flags, sizeof(*rule));
	rule = question.head;
	rule->family = family;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(question.message, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_u32(question.message, FRA_FWMARK, DETOUR_MARK);
	mnl_attr_put_u32(question.message, FRA_TABLE, TABLE);
	return netlink_ask(question.message, NULL, NULL);
}

static int route(__u8 family)
{
	struct question question;
	struct rtmsg *route;

	ask(&question, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
	    sizeof(*route));
	route = question.head;
	route->rtm_family = family;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_LINK;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(question.message, RTA_TABLE, TABLE);
	mnl_attr_put_u32(question.message, RTA_OIF,
			 if_nametoindex(DETOUR_NEAR));
	return netlink_ask(question.message, NULL, NULL);
}

int detour_make(struct fault *fault_out)
{
	int rc = pair_make();
	size_t i;

	if (rc == -EEXIST)
		rc = 0;
	rc = rc ?: offload_off();
	rc = rc ?: end_up(DETOUR_NEAR) ?: end_up(DETOUR_FAR);
	for (i = 0; i < sizeof(families) && !rc; i++) {
		rc = rule(families[i], RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
		if (!rc || rc == -EEXIST)
			rc = route(families[i]);
		/* A family that the host does without. */
		if (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP || rc == -EACCES)
			rc = 0;
	}
	if (!rc)
		return 0;
	detour_remove();
	return fault(fault_out, "cannot make the way of health checks, %s: %s",
		     DETOUR_NEAR, strerror(-rc));
}

bool detour_remove(void)
{
	struct question question;
	bool was = false;
	size_t i;

	for (i = 0; i < sizeof(families); i++)
		was |= !rule(families[i], RTM_DELRULE, 0);
	ask(&question, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(question.message, IFLA_IFNAME, DETOUR_NEAR);
	return !netlink_ask(question.message, NULL, NULL) || was;
}
