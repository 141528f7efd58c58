// SPDX-License-Identifier: GPL-2.0-only
/*
 * routes.c - how this host reaches an address, and what its routes depend on
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/core/address.h"
#include "common/net/netlink_ask.h"
#include "common/net/routes.h"

static int route_attribute(const struct nlattr *attribute, void *data)
{
	struct next_hop *hop = data;

	if (mnl_attr_get_type(attribute) == RTA_PREFSRC)
		address_get(attribute, &hop->source);
	else
		hop_get(attribute, &hop->ifindex, &hop->via);
	return MNL_CB_OK;
}

static int route_answer(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct rtmsg), route_attribute,
			      data);
}

int route_read(const struct addr *to, struct next_hop *hop,
	       struct fault *fault_out)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;
	int rc;

	memset(hop, 0, sizeof(*hop));
	hop->via = *to;
	hop->neighbour.state = "none";
	question->nlmsg_type = RTM_GETROUTE;
	question->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(question, sizeof(*route));
	route->rtm_family = family_of(to);
	route->rtm_dst_len = addr_is_v4(to) ? 32 : 128;
	address_put(question, RTA_DST, to);
	rc = netlink_ask(question, route_answer, hop);
	if (route_is_none(rc))
		return 0;
	if (rc)
		return fault(fault_out, "cannot ask for a route: %s",
			     strerror(-rc));
	return 0;
}

int next_hop_read(const struct addr *to, struct next_hop *hop,
		  struct fault *fault_out)
{
	if (route_read(to, hop, fault_out))
		return -1;
	if (hop->ifindex)
		neighbour_read(hop->ifindex, &hop->via, &hop->neighbour);
	return 0;
}

struct finding {
	char *why;
	size_t size;
	bool by_flow;
};

static void finding_note(struct finding *finding, const char *what)
{
	if (!finding->by_flow)
		snprintf(finding->why, finding->size, "%s", what);
	finding->by_flow = true;
}

/*
 * What a rule may depend on without distinguishing two packets to the same
 * backend: their destination, their interface, the mark that none of them has.
 */
static int rule_attribute(const struct nlattr *attribute, void *data)
{
	switch (mnl_attr_get_type(attribute)) {
	case FRA_DST:
	case FRA_IIFNAME:
	case FRA_OIFNAME:
	case FRA_GOTO:
	case FRA_PRIORITY:
	case FRA_FWMARK:
	case FRA_FWMASK:
	case FRA_FLOW:
	case FRA_TUN_ID:
	case FRA_SUPPRESS_IFGROUP:
	case FRA_SUPPRESS_PREFIXLEN:
	case FRA_TABLE:
	case FRA_PAD:
	case FRA_L3MDEV:
	case FRA_UID_RANGE: /* for this host's own packets */
	case FRA_PROTOCOL:
		return MNL_CB_OK;
	default:
		finding_note(data,
			     "a rule depends on more than the destination");
		return MNL_CB_OK;
	}
}

static int rule_answer(const struct nlmsghdr *message, void *data)
{
	const struct fib_rule_hdr *rule = mnl_nlmsg_get_payload(message);

	if (rule->tos)
		finding_note(data, "a rule depends on the type of service");
	return mnl_attr_parse(message, sizeof(*rule), rule_attribute, data);
}

static int any_route_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == RTA_MULTIPATH)
		finding_note(data, "a route has several next hops");
	return MNL_CB_OK;
}

static int any_route_answer(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (route->rtm_tos)
		finding_note(data, "a route depends on the type of service");
	if (route->rtm_src_len)
		finding_note(data, "a route depends on the source");
	return mnl_attr_parse(message, sizeof(*route), any_route_attribute,
			      data);
}

static int nexthop_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == NHA_GROUP &&
	    mnl_attr_get_payload_len(attribute) > sizeof(struct nexthop_grp))
		finding_note(data,
			     "a route may have several next hops (a group)");
	return MNL_CB_OK;
}

static int nexthop_answer(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct nhmsg), nexthop_attribute,
			      data);
}

bool routes_by_flow(char *why, size_t size)
{
	static const __u8 families[] = {AF_INET, AF_INET6};
	struct finding finding = {.why = why, .size = size};
	int rc = 0;
	size_t i;

	for (i = 0; i < 2 && !rc; i++) {
		rc = netlink_dump_family(RTM_GETRULE, families[i],
					 sizeof(struct fib_rule_hdr),
					 rule_answer, &finding, NULL);
		/* The kernel was built without this family. */
		if (rc == -EOPNOTSUPP || rc == -EAFNOSUPPORT)
			rc = 0;
		rc = rc
			     ?: netlink_dump_family(RTM_GETROUTE, families[i],
						    sizeof(struct rtmsg),
						    any_route_answer, &finding,
						    NULL);
	}
	/* -EOPNOTSUPP: they do not exist before Linux 5.3. */
	rc = rc
		     ?: netlink_dump_family(RTM_GETNEXTHOP, AF_UNSPEC,
					    sizeof(struct nhmsg),
					    nexthop_answer, &finding, NULL);
	if (rc && rc != -EOPNOTSUPP)
		finding_note(&finding, "the routes cannot be read");
	return finding.by_flow;
}

bool message_by_flow(const struct nlmsghdr *message)
{
	char why[64];
	struct finding finding = {.why = why, .size = sizeof(why)};

	switch (message->nlmsg_type) {
	case RTM_NEWRULE:
		rule_answer(message, &finding);
		break;
	case RTM_NEWROUTE:
		any_route_answer(message, &finding);
		break;
	case RTM_NEWNEXTHOP:
		nexthop_answer(message, &finding);
		break;
	}
	return finding.by_flow;
}

static int destination_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == RTA_DST)
		address_get(attribute, data);
	return MNL_CB_OK;
}

int route_range(const struct nlmsghdr *message, struct addr *first,
		struct addr *last)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	unsigned int bits = route->rtm_dst_len, i;

	if (message->nlmsg_type != RTM_NEWROUTE &&
	    message->nlmsg_type != RTM_DELROUTE)
		return -1;
	memset(first, 0, sizeof(*first));
	if (route->rtm_family == AF_INET) {
		addr_set_v4(first, 0);
		bits += 96;
	} else if (route->rtm_family != AF_INET6) {
		return -1;
	}
	mnl_attr_parse(message, sizeof(*route), destination_attribute, first);
	*last = *first;
	for (i = 0; i < 4; i++) {
		__u32 kept = bits <= 32 * i	   ? 0
			     : bits >= 32 * i + 32 ? 32
						   : bits - 32 * i;

		if (kept < 32)
			last->w[i] |= (FORCE __be32)htonl(0xffffffffu >> kept);
	}
	return 0;
}
