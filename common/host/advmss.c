// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/abi_packets.h"
#include "common/core/address.h"
#include "common/host/advmss.h"
#include "common/host/change.h"
#include "common/net/netlink_ask.h"

/* A unicast route of a table that outgoing packets use. */
struct advmss_route {
	char name[112]; /* "172.16.0.0/12 table 254 metric 0" */
	__u32 advmss;	/* 0: not set */
	int family;
	void *message; /* as the kernel reported it */
};

struct reading {
	struct advmss_route *routes;
	int count;
	unsigned int lo;
};

/* The attributes of a route that are read. */
struct route {
	const struct rtmsg *info;
	struct addr to;
	__u32 table, metric, out, advmss;
	bool has_nexthop; /* a nexthop object: its addresses are not in the
			     route */
};

static int metrics_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;

	if (mnl_attr_get_type(attribute) == RTAX_ADVMSS)
		route->advmss = mnl_attr_get_u32(attribute);
	return MNL_CB_OK;
}

static int route_attribute(const struct nlattr *attribute, void *data)
{
	struct route *route = data;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_DST:
		return address_get(attribute, &route->to) ? MNL_CB_ERROR
							  : MNL_CB_OK;
	case RTA_TABLE:
		route->table = mnl_attr_get_u32(attribute);
		return MNL_CB_OK;
	case RTA_PRIORITY:
		route->metric = mnl_attr_get_u32(attribute);
		return MNL_CB_OK;
	case RTA_OIF:
		route->out = mnl_attr_get_u32(attribute);
		return MNL_CB_OK;
	case RTA_NH_ID:
		route->has_nexthop = true;
		return MNL_CB_OK;
	case RTA_METRICS:
		return mnl_attr_parse_nested(attribute, metrics_attribute,
					     route);
	default:
		return MNL_CB_OK;
	}
}

static int route_read(const struct nlmsghdr *message, struct route *route)
{
	memset(route, 0, sizeof(*route));
	route->info = mnl_nlmsg_get_payload(message);
	route->table = route->info->rtm_table;
	if (route->info->rtm_family == AF_INET)
		addr_set_v4(&route->to, 0);
	return mnl_attr_parse(message, sizeof(*route->info), route_attribute,
			      route);
}

/* Does the route lead to clients? */
static bool is_for_clients(const struct route *route, unsigned int lo)
{
	return route->info->rtm_type == RTN_UNICAST &&
	       !(route->info->rtm_flags & RTM_F_CLONED) &&
	       route->info->rtm_protocol != RTPROT_RA && route->out != lo &&
	       (!(route->to.w[0] | route->to.w[1] | route->to.w[2]) ||
		addr_is_v4(&route->to) || addr_is_host(&route->to));
}

static int route_answer(const struct nlmsghdr *message, void *data)
{
	struct reading *reading = data;
	struct advmss_route *grown, *row;
	char text[INET6_ADDRSTRLEN];
	struct route route;

	if (route_read(message, &route) < 0 ||
	    !is_for_clients(&route, reading->lo))
		return MNL_CB_OK;
	grown = realloc(reading->routes,
			((size_t)reading->count + 1) * sizeof(*grown));
	if (!grown)
		return MNL_CB_ERROR;
	reading->routes = grown;
	row = &grown[reading->count];
	row->message = malloc(message->nlmsg_len);
	if (!row->message)
		return MNL_CB_ERROR;
	reading->count++;
	memcpy(row->message, message, message->nlmsg_len);
	row->family = route.info->rtm_family;
	row->advmss = route.advmss;
	snprintf(row->name, sizeof(row->name), "%s/%u table %u metric %u",
		 addr_text(&route.to, text), route.info->rtm_dst_len,
		 route.table, route.metric);
	return MNL_CB_OK;
}

static void advmss_free(struct advmss_route *routes, int count)
{
	while (count-- > 0)
		free(routes[count].message);
	free(routes);
}

static void reading_empty(void *data)
{
	struct reading *reading = data;

	advmss_free(reading->routes, reading->count);
	reading->routes = NULL;
	reading->count = 0;
}

/*
 * The routes of a family that lead off this host and were not advertised by a
 * router. Release *routes with advmss_free(). Returns their number, or -errno.
 */
static int advmss_read(int family, struct advmss_route **routes)
{
	struct reading reading = {.lo = if_nametoindex("lo")};
	int rc;

	*routes = NULL;
	rc = netlink_dump_family(RTM_GETROUTE, family, sizeof(struct rtmsg),
				 route_answer, &reading, reading_empty);
	if (!rc) {
		*routes = reading.routes;
		return reading.count;
	}
	advmss_free(reading.routes, reading.count);
	/* The kernel was built without this family. */
	return rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP ? 0 : rc;
}

struct rewriting {
	struct nlmsghdr *message;
	bool has_nexthop;
};

static int metric_copy(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) != RTAX_ADVMSS)
		mnl_attr_put(data, mnl_attr_get_type(attribute),
			     mnl_attr_get_payload_len(attribute),
			     mnl_attr_get_payload(attribute));
	return MNL_CB_OK;
}

/* Write the route back as the kernel reported it. */
static int attribute_copy(const struct nlattr *attribute, void *data)
{
	const struct rewriting *rewriting = data;

	switch (mnl_attr_get_type(attribute)) {
	case RTA_METRICS:
	case RTA_CACHEINFO:
		return MNL_CB_OK;
	case RTA_OIF:
	case RTA_GATEWAY:
	case RTA_VIA:
	case RTA_MULTIPATH:
		if (rewriting->has_nexthop)
			return MNL_CB_OK;
	}
	mnl_attr_put(rewriting->message, attribute->nla_type,
		     mnl_attr_get_payload_len(attribute),
		     mnl_attr_get_payload(attribute));
	return MNL_CB_OK;
}

static int metrics_find(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == RTA_METRICS)
		return mnl_attr_parse_nested(attribute, metric_copy, data);
	return MNL_CB_OK;
}

static int advmss_set(const struct advmss_route *route, __u32 advmss)
{
	const struct nlmsghdr *was = route->message;
	size_t room = was->nlmsg_len + 64;
	struct rewriting rewriting;
	struct nlmsghdr *message;
	struct nlattr *metrics;
	struct rtmsg *info;
	struct route read;
	char *buffer;
	int rc;

	buffer = calloc(1, room);
	if (!buffer || route_read(was, &read) < 0) {
		free(buffer);
		return -ENOMEM;
	}
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_NEWROUTE;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_REPLACE;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	*info = *read.info;
	info->rtm_flags &= RTNH_F_ONLINK;
	rewriting = (struct rewriting){message, read.has_nexthop};
	mnl_attr_parse(was, sizeof(*info), attribute_copy, &rewriting);
	metrics = mnl_attr_nest_start(message, RTA_METRICS);
	mnl_attr_parse(was, sizeof(*info), metrics_find, message);
	if (advmss)
		mnl_attr_put_u32(message, RTAX_ADVMSS, advmss);
	mnl_attr_nest_end(message, metrics);
	rc = netlink_ask(message, NULL, NULL);
	free(buffer);
	return rc;
}

static int set_and_say(const struct advmss_route *route, __u32 advmss,
		       struct fault *fault_out)
{
	int rc;

	if (route->advmss == advmss)
		return 0;
	rc = advmss_set(route, advmss);
	if (rc)
		return fault(fault_out,
			     "cannot set advmss of route %s to %u: %s",
			     route->name, advmss, strerror(-rc));
	printf("route %s: advmss %u -> %u\n", route->name, route->advmss,
	       advmss);
	return 0;
}

static __u32 before(const struct change *change)
{
	return (__u32)strtoul(change->before, NULL, 10);
}

/* If a route announces less by itself, keep that. */
static int change_one(struct kernel *kernel, const struct advmss_route *route,
		      __u32 advmss, struct fault *fault_out)
{
	__u32 was = route->advmss;
	struct change change;
	char text[16];

	if (change_find(kernel, "advmss", route->name, &change))
		was = before(&change);
	if (!advmss || (was && was < advmss))
		advmss = was;
	snprintf(text, sizeof(text), "%u", was);
	if (route->advmss != advmss &&
	    change_note(kernel, "advmss", route->name, text, fault_out))
		return -1;
	return set_and_say(route, advmss, fault_out);
}

int advmss_change(struct kernel *kernel, int family, __u32 advmss,
		  struct fault *fault_out)
{
	struct advmss_route *routes;
	int count = advmss_read(family, &routes), rc = 0, i;

	if (count < 0)
		return fault(fault_out, "cannot list routes: %s",
			     strerror(-count));
	for (i = 0; !rc && i < count; i++)
		rc = change_one(kernel, &routes[i], advmss, fault_out);
	advmss_free(routes, count);
	return rc;
}

int advmss_undo(const struct change *change, struct fault *fault_out)
{
	int family = strchr(change->what, ':') ? AF_INET6 : AF_INET;
	struct advmss_route *routes;
	int count = advmss_read(family, &routes), rc = 0, i;

	if (count < 0)
		return fault(fault_out, "cannot list routes: %s",
			     strerror(-count));
	/* The route may be gone. */
	for (i = 0; !rc && i < count; i++) {
		if (!strcmp(routes[i].name, change->what))
			rc = set_and_say(&routes[i], before(change), fault_out);
	}
	advmss_free(routes, count);
	return rc;
}
