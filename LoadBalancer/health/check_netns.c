// SPDX-License-Identifier: GPL-2.0-only
/*
 * check_netns.c - see check_netns.h
 *
 * A socket stays in the namespace where it was made, so the process enters only
 * to make one, and comes back. The process has only one thread that does so.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* unshare(), setns() */
#endif
#include "LoadBalancer/health/check_netns.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/fib_rules.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/core/check.h"
#include "common/net/netlink_ask.h"

#define THIS_NETNS "/proc/thread-self/ns/net"
/* The routing table for what comes in by the veth. */
#define TABLE	 100
#define PRIORITY 1
/* In generic mode, packets that GRO has merged arrive as one. */
#define MTU 65535
/* The most that a veth takes whose other end has a native program: a page, less
 * what comes before and after the frame (drivers/net/veth.c, 3,504). */
#define MTU_OF_PAGE 3400

/* <net/if.h> and <linux/if.h> cannot be included together. */
unsigned int if_nametoindex(const char *name);

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

/* Called inside: the far end goes to the namespace `host`. */
static int pair_make(int host)
{
	static const __u8 mac[] = CHECK_MAC;
	struct question question;
	struct nlattr *info, *data, *peer;
	struct nlmsghdr *message;

	ask(&question, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
	    sizeof(struct ifinfomsg));
	message = question.message;
	mnl_attr_put_strz(message, IFLA_IFNAME, CHECK_NEAR);
	mnl_attr_put(message, IFLA_ADDRESS, sizeof(mac), mac);
	mnl_attr_put_u32(message, IFLA_MTU, MTU);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, CHECK_FAR);
	mnl_attr_put_u32(message, IFLA_MTU, MTU);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (__u32)host);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return netlink_ask(message, NULL, NULL);
}

/* No link-local address, so that the end sends nothing by itself. */
static void end_quiet(const char *name)
{
	struct question question;
	struct nlattr *families, *ipv6;

	ask(&question, RTM_SETLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(question.message, IFLA_IFNAME, name);
	families = mnl_attr_nest_start(question.message, IFLA_AF_SPEC);
	ipv6 = mnl_attr_nest_start(question.message, AF_INET6);
	mnl_attr_put_u8(question.message, IFLA_INET6_ADDR_GEN_MODE,
			IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(question.message, ipv6);
	mnl_attr_nest_end(question.message, families);
	/* The host may have no IPv6. */
	netlink_ask(question.message, NULL, NULL);
}

/* No neighbour is resolved on the veth: it has only one other end. */
static int end_up(const char *name, unsigned int flags)
{
	struct question question;
	struct ifinfomsg *info;

	ask(&question, RTM_NEWLINK, 0, sizeof(*info));
	info = question.head;
	info->ifi_flags = IFF_UP | flags;
	info->ifi_change = IFF_UP | flags;
	mnl_attr_put_strz(question.message, IFLA_IFNAME, name);
	return netlink_ask(question.message, NULL, NULL);
}

static int offload_set(__u32 command, __u32 on)
{
	struct ethtool_value value = {.cmd = command, .data = on};
	struct ifreq request = {.ifr_data = (void *)&value};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	strcpy(request.ifr_name, CHECK_NEAR);
	rc = ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
	close(fd);
	return rc;
}

/*
 * Packets leave as on a wire: with complete checksums, and no larger than a
 * link takes. Without GRO, veth silently drops what a native XDP program
 * redirects to it.
 */
static int offloads_set(void)
{
	return offload_set(ETHTOOL_STXCSUM, 0) ?: offload_set(ETHTOOL_SGRO, 1);
}

/*
 * What comes in is routed by table TABLE, what is sent by the main table; so
 * the way back to a sender is the veth, which satisfies a strict rp_filter.
 */
static int rule_add(__u8 family)
{
	struct question question;
	struct fib_rule_hdr *rule;

	ask(&question, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*rule));
	rule = question.head;
	rule->family = family;
	rule->action = FR_ACT_TO_TBL;
	rule->table = TABLE;
	mnl_attr_put_u32(question.message, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_strz(question.message, FRA_IIFNAME, CHECK_NEAR);
	return netlink_ask(question.message, NULL, NULL);
}

/* All addresses, through this device. */
static int route_add(__u8 family, __u8 type, __u8 table, const char *device)
{
	struct question question;
	struct rtmsg *route;

	ask(&question, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE,
	    sizeof(*route));
	route = question.head;
	route->rtm_family = family;
	route->rtm_table = table;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = type == RTN_LOCAL ? RT_SCOPE_HOST : RT_SCOPE_LINK;
	route->rtm_type = type;
	mnl_attr_put_u32(question.message, RTA_OIF, if_nametoindex(device));
	return netlink_ask(question.message, NULL, NULL);
}

static int family_add(__u8 family)
{
	int rc = rule_add(family)
			 ?: route_add(family, RTN_LOCAL, TABLE, "lo")
			 ?: route_add(family, RTN_UNICAST, RT_TABLE_MAIN,
				      CHECK_NEAR);

	/* The host may lack a family. */
	return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP || rc == -EACCES ? 0
									 : rc;
}

static int furnish(int host)
{
	int rc = end_up("lo", 0) ?: pair_make(host);

	if (rc)
		return rc;
	end_quiet(CHECK_NEAR);
	return offloads_set()
		       ?: end_up(CHECK_NEAR, IFF_NOARP)
		       ?: family_add(AF_INET)
		       ?: family_add(AF_INET6);
}

/*
 * Back to the host's namespace. In another one, everything that follows would
 * be wrong.
 */
static void come_back(const struct check_netns *netns)
{
	if (!setns(netns->host, CLONE_NEWNET))
		return;
	perror("lbr: cannot come back to the host's network namespace");
	abort();
}

/*
 * Removes the veth. After a kill, the kernel removes it with the namespace, but
 * maybe later than the next `lbr run` starts.
 */
static void far_remove(void)
{
	struct question question;

	ask(&question, RTM_DELLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(question.message, IFLA_IFNAME, CHECK_FAR);
	netlink_ask(question.message, NULL, NULL);
}

static int forbidden(const char *call, struct fault *fault_out)
{
	fault(fault_out,
	      "cannot make a network namespace for health checks: %s: %s", call,
	      strerror(errno));
	return fault_hint(fault_out,
			  "run it with CAP_SYS_ADMIN and CAP_NET_ADMIN; in a "
			  "container, with a seccomp profile that allows "
			  "unshare and setns; as a unit of systemd, with "
			  "RestrictNamespaces=net");
}

/* Returns 0 in a new namespace, or -1 with a fault in the old one. */
static int enter_new(struct check_netns *netns, struct fault *fault_out)
{
	netns->host = open(THIS_NETNS, O_RDONLY | O_CLOEXEC);
	if (netns->host < 0)
		return forbidden(THIS_NETNS, fault_out);
	/* Before we leave: may we come back? */
	if (setns(netns->host, CLONE_NEWNET))
		return forbidden("setns", fault_out);
	if (unshare(CLONE_NEWNET))
		return forbidden("unshare", fault_out);
	netns->own = open(THIS_NETNS, O_RDONLY | O_CLOEXEC);
	if (netns->own >= 0)
		return 0;
	forbidden(THIS_NETNS, fault_out);
	come_back(netns);
	return -1;
}

static void forget(struct check_netns *netns)
{
	if (netns->pass >= 0)
		close(netns->pass);
	if (netns->own >= 0)
		close(netns->own);
	if (netns->host >= 0)
		close(netns->host);
	netns->pass = netns->own = netns->host = -1;
}

int check_netns_make(struct check_netns *netns, struct fault *fault_out)
{
	int rc;

	netns->pass = netns->own = netns->host = -1;
	far_remove();
	if (enter_new(netns, fault_out)) {
		forget(netns);
		return -1;
	}
	rc = furnish(netns->host);
	come_back(netns);
	if (!rc) {
		end_quiet(CHECK_FAR);
		rc = end_up(CHECK_FAR, IFF_NOARP);
	}
	if (!rc)
		return 0;
	check_netns_remove(netns);
	return fault(fault_out,
		     "cannot make the path of health checks, " CHECK_FAR ": %s",
		     strerror(-rc));
}

void check_netns_remove(struct check_netns *netns)
{
	/* At once; the kernel removes a namespace only later. */
	if (netns->own >= 0)
		far_remove();
	forget(netns);
}

/* Called outside. 0 or -errno. */
static int far_narrow(void)
{
	struct question question;

	ask(&question, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(question.message, IFLA_IFNAME, CHECK_FAR);
	mnl_attr_put_u32(question.message, IFLA_MTU, MTU_OF_PAGE);
	return netlink_ask(question.message, NULL, NULL);
}

/* Called inside. The link's fd, or -1 with errno. */
static int pass_attach(void)
{
	static const struct bpf_insn pass[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_link_create_opts, natively,
		    .flags = XDP_FLAGS_DRV_MODE);
	int program, link, error;

	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "check_pass", "GPL", pass,
				sizeof(pass) / sizeof(pass[0]), NULL);
	if (program < 0)
		return -1;
	link = bpf_link_create(program, (int)if_nametoindex(CHECK_NEAR),
			       BPF_XDP, &natively);
	error = errno;
	close(program);
	errno = error;
	return link < 0 ? -1 : link;
}

int check_netns_pass(struct check_netns *netns, struct fault *fault_out)
{
	int rc = far_narrow();

	if (rc)
		return fault(fault_out,
			     "cannot set the MTU of " CHECK_FAR ": %s",
			     strerror(-rc));
	if (setns(netns->own, CLONE_NEWNET))
		return forbidden("setns", fault_out);
	netns->pass = pass_attach();
	if (netns->pass < 0)
		fault(fault_out,
		      "cannot attach a program to " CHECK_NEAR ": %s",
		      strerror(errno));
	come_back(netns);
	return netns->pass < 0 ? -1 : 0;
}

int check_netns_socket(const struct check_netns *netns, int family, int type)
{
	bool is_ipv4 = family == AF_INET;
	int on = 1, fd, error;

	if (setns(netns->own, CLONE_NEWNET))
		return -1;
	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	error = errno;
	come_back(netns);
	errno = error;
	if (fd < 0 || !setsockopt(fd, is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6,
				  is_ipv4 ? IP_TRANSPARENT : IPV6_TRANSPARENT,
				  &on, sizeof(on)))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
