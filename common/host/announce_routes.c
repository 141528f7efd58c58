// SPDX-License-Identifier: GPL-2.0-only
#include "common/host/announce_routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"
#include "common/host/announce.h"
#include "common/net/netlink_ask.h"

static int route_ask(const struct announce_route *route, bool add)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *info;

	message->nlmsg_type = add ? RTM_NEWROUTE : RTM_DELROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
			       (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->rtm_family = family_of(&route->vip);
	info->rtm_dst_len = addr_is_v4(&route->vip) ? 32 : 128;
	info->rtm_table = RT_TABLE_UNSPEC; /* in RTA_TABLE */
	info->rtm_protocol = route->protocol;
	info->rtm_scope = add ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
	info->rtm_type = RTN_BLACKHOLE;
	address_put(message, RTA_DST, &route->vip);
	mnl_attr_put_u32(message, RTA_TABLE, route->table);
	if (route->metric)
		mnl_attr_put_u32(message, RTA_PRIORITY, route->metric);
	return netlink_ask(message, NULL, NULL);
}

int announce_route_add(const struct announce_route *route)
{
	return route_ask(route, true);
}

int announce_route_remove(const struct announce_route *route)
{
	return route_ask(route, false);
}

/* Where the attributes of a message go. */
static int route_attribute(const struct nlattr *attribute, void *data)
{
	struct announce_route *route = data;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		address_get(attribute, &route->vip);
		break;
	case RTA_TABLE:
		route->table = mnl_attr_get_u32(attribute);
		break;
	case RTA_PRIORITY:
		route->metric = mnl_attr_get_u32(attribute);
		break;
	}
	return MNL_CB_OK;
}

static const struct rtmsg *route_parse(const struct nlmsghdr *message,
				       struct announce_route *route)
{
	const struct rtmsg *info = mnl_nlmsg_get_payload(message);

	memset(route, 0, sizeof(*route));
	route->table = info->rtm_table;
	route->protocol = info->rtm_protocol;
	if (info->rtm_family == AF_INET)
		addr_set_v4(&route->vip, 0);
	mnl_attr_parse(message, sizeof(*info), route_attribute, route);
	return info;
}

bool announce_is_removed(const struct config_announce *announce,
			 const struct nlmsghdr *message)
{
	struct announce_route route;

	if (!announce->table || message->nlmsg_type != RTM_DELROUTE)
		return false;
	route_parse(message, &route);
	return route.table == announce->table &&
	       route.protocol == announce->protocol;
}

struct reading {
	__u32 table;
	struct row {
		struct announce_route route;
		__u8 bits;
	} * rows;
	int count;
};

static int route_answer(const struct nlmsghdr *message, void *data)
{
	struct reading *reading = data;
	struct announce_route route;
	const struct rtmsg *info = route_parse(message, &route);
	struct row *grown;

	if (route.table != reading->table || info->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	grown = realloc(reading->rows,
			((size_t)reading->count + 1) * sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	reading->rows = grown;
	grown[reading->count++] = (struct row){route, info->rtm_dst_len};
	return MNL_CB_OK;
}

static void reading_empty(void *data)
{
	struct reading *reading = data;

	reading->count = 0;
}

static int family_each(int family, struct reading *reading)
{
	int rc = netlink_dump_family(RTM_GETROUTE, family, sizeof(struct rtmsg),
				     route_answer, reading, reading_empty);

	/* The kernel was built without this family. */
	return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

int announce_routes_each(__u32 table,
			 int (*each)(const struct announce_route *route,
				     __u8 bits, void *data),
			 void *data)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct reading reading = {.table = table};
	int i, j, rc = 0;

	for (i = 0; !rc && i < 2; i++) {
		rc = family_each(families[i], &reading);
		for (j = 0; !rc && j < reading.count; j++)
			rc = each(&reading.rows[j].route, reading.rows[j].bits,
				  data);
	}
	free(reading.rows);
	return rc;
}
