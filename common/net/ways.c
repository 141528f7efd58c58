// SPDX-License-Identifier: GPL-2.0-only
/*
 * ways.c - the interfaces and neighbours by which this host reaches an address
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "common/core/address.h"
#include "common/net/netlink_ask.h"
#include "common/net/routes.h"

bool route_is_none(int rc)
{
	return rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EACCES ||
	       rc == -EINVAL || rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP;
}

/* Where packets to an address may leave. */
struct ways {
	const struct addr *to;
	struct way *ways;
	int room, count;
	struct way one; /* under construction */
	__u32 mtu;	/* of the route */
	bool is_locked; /* so that PMTU exceptions are not looked for */
	bool unicast;
};

static int metrics_attribute(const struct nlattr *attribute, void *data)
{
	struct ways *ways = data;

	if (mnl_attr_get_type(attribute) == RTAX_MTU)
		ways->mtu = mnl_attr_get_u32(attribute);
	else if (mnl_attr_get_type(attribute) == RTAX_LOCK)
		ways->is_locked = mnl_attr_get_u32(attribute) >> RTAX_MTU & 1;
	return MNL_CB_OK;
}

static int way_attribute(const struct nlattr *attribute, void *data)
{
	struct way *way = data;
	const struct rtvia *via;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_OIF:
		way->ifindex = (int)mnl_attr_get_u32(attribute);
		break;
	case RTA_GATEWAY:
		address_get(attribute, &way->via);
		break;
	case RTA_VIA: /* a gateway of the other family */
		via = mnl_attr_get_payload(attribute);
		if (via->rtvia_family == AF_INET6)
			addr_set_v6(&way->via, (const __be32 *)via->rtvia_addr);
		break;
	}
	return MNL_CB_OK;
}

static void way_add(struct ways *ways, const struct way *way)
{
	if (way->ifindex && ways->count < ways->room)
		ways->ways[ways->count++] = *way;
}

static int ways_attribute(const struct nlattr *attribute, void *data)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attribute);
	int rest = mnl_attr_get_payload_len(attribute);
	struct ways *ways = data;
	struct way way;

	if (mnl_attr_get_type(attribute) == RTA_METRICS)
		return mnl_attr_parse_nested(attribute, metrics_attribute,
					     ways);
	if (mnl_attr_get_type(attribute) != RTA_MULTIPATH)
		return way_attribute(attribute, &ways->one);
	for (; RTNH_OK(hop, rest); hop = RTNH_NEXT(hop)) {
		way = (struct way){hop->rtnh_ifindex, *ways->to, 0};
		mnl_attr_parse_payload((const char *)hop + sizeof(*hop),
				       hop->rtnh_len - sizeof(*hop),
				       way_attribute, &way);
		way_add(ways, &way);
		rest -= RTNH_ALIGN(hop->rtnh_len);
	}
	return MNL_CB_OK;
}

static int ways_answer(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct ways *ways = data;

	ways->unicast = route->rtm_type == RTN_UNICAST;
	return mnl_attr_parse(message, sizeof(*route), ways_attribute, ways);
}

int ways_read(const struct addr *to, struct way *found, int room)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct ways ways = {
		.to = to, .ways = found, .room = room, .one.via = *to};
	struct rtmsg *route;
	int i, rc;

	question->nlmsg_type = RTM_GETROUTE;
	question->nlmsg_flags = NLM_F_REQUEST;
	route = mnl_nlmsg_put_extra_header(question, sizeof(*route));
	route->rtm_family = family_of(to);
	route->rtm_dst_len = addr_is_v4(to) ? 32 : 128;
	/* The route itself, not what one packet would make of it. */
	route->rtm_flags = RTM_F_FIB_MATCH;
	address_put(question, RTA_DST, to);
	rc = netlink_ask(question, ways_answer, &ways);
	if (rc)
		return route_is_none(rc) ? 0 : -1;
	if (!ways.unicast)
		return 0;
	if (!ways.count)
		way_add(&ways, &ways.one);
	for (i = 0; ways.is_locked && i < ways.count; i++)
		found[i].locked = ways.mtu;
	return ways.count;
}
