// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_routes.c - what one message of rtnetlink says of a route: which
 * destinations are in it, and whether packets to the same one may part
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "common/tool/config.h"
#include "common/tool/routes.h"
#include "tests/unit/unit.h"

static char buffer[512];

static struct nlmsghdr *begin(__u16 type, size_t head, void **payload)
{
	struct nlmsghdr *message;

	memset(buffer, 0, sizeof(buffer));
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	*payload = mnl_nlmsg_put_extra_header(message, head);
	return message;
}

/* About a route to `prefix` of `bits`, NULL: the default one. */
static struct nlmsghdr *route(__u16 type, int family, const char *prefix,
			      __u8 bits)
{
	struct nlmsghdr *message;
	struct rtmsg *info;
	void *payload;
	char address[16];

	message = begin(type, sizeof(*info), &payload);
	info = payload;
	info->rtm_family = (__u8)family;
	info->rtm_dst_len = bits;
	if (prefix) {
		assert_int_equal(inet_pton(family, prefix, address), 1);
		mnl_attr_put(message, RTA_DST, family == AF_INET ? 4 : 16,
			     address);
	}
	mnl_attr_put_u32(message, RTA_OIF, 2);
	return message;
}

static void range_is(const struct nlmsghdr *message, const char *from,
		     const char *to)
{
	struct addr first, last, wanted;

	assert_int_equal(route_range(message, &first, &last), 0);
	assert_int_equal(addr_parse(from, &wanted), 0);
	assert_memory_equal(&first, &wanted, sizeof(first));
	assert_int_equal(addr_parse(to, &wanted), 0);
	assert_memory_equal(&last, &wanted, sizeof(last));
}

static void ranges(void **state)
{
	struct addr first, last;
	void *payload;

	(void)state;
	range_is(route(RTM_NEWROUTE, AF_INET, "172.19.0.0", 16), "172.19.0.0",
		 "172.19.255.255");
	range_is(route(RTM_DELROUTE, AF_INET, "172.19.0.4", 30), "172.19.0.4",
		 "172.19.0.7");
	range_is(route(RTM_NEWROUTE, AF_INET, "172.19.0.3", 32), "172.19.0.3",
		 "172.19.0.3");
	range_is(route(RTM_NEWROUTE, AF_INET, NULL, 0), "0.0.0.0",
		 "255.255.255.255");
	range_is(route(RTM_NEWROUTE, AF_INET6, "2001:db8:19::", 64),
		 "2001:db8:19::", "2001:db8:19::ffff:ffff:ffff:ffff");
	range_is(route(RTM_DELROUTE, AF_INET6, "2001:db8::", 33),
		 "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
	range_is(route(RTM_NEWROUTE, AF_INET6, NULL, 0),
		 "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	range_is(route(RTM_NEWROUTE, AF_INET6, "2001:db8::1", 128),
		 "2001:db8::1", "2001:db8::1");
	assert_int_equal(
		route_range(begin(RTM_NEWRULE, sizeof(struct fib_rule_hdr),
				  &payload),
			    &first, &last),
		-1);
	/* Of a bridge, or of multicast. */
	assert_int_equal(route_range(route(RTM_NEWROUTE, AF_UNSPEC, NULL, 0),
				     &first, &last),
			 -1);
}

static void routes_part(void **state)
{
	struct nlmsghdr *message;
	struct nlattr *nest;
	struct rtnexthop hop = {.rtnh_len = sizeof(hop), .rtnh_ifindex = 2};

	(void)state;
	message = route(RTM_NEWROUTE, AF_INET, "10.0.0.0", 8);
	assert_false(message_by_flow(message));
	nest = mnl_attr_nest_start(message, RTA_MULTIPATH);
	memcpy(mnl_nlmsg_get_payload_tail(message), &hop, sizeof(hop));
	message->nlmsg_len += sizeof(hop);
	mnl_attr_nest_end(message, nest);
	assert_true(message_by_flow(message));
	message->nlmsg_type = RTM_DELROUTE;
	assert_false(message_by_flow(message));
	message = route(RTM_NEWROUTE, AF_INET6, "2001:db8::", 32);
	((struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_src_len = 64;
	assert_true(message_by_flow(message));
	message = route(RTM_NEWROUTE, AF_INET, "10.0.0.0", 8);
	((struct rtmsg *)mnl_nlmsg_get_payload(message))->rtm_tos = 8;
	assert_true(message_by_flow(message));
}

static void rules_and_groups_part(void **state)
{
	const struct nexthop_grp hops[2] = {{.id = 1}, {.id = 2}};
	struct nlmsghdr *message;
	void *payload;

	(void)state;
	message = begin(RTM_NEWRULE, sizeof(struct fib_rule_hdr), &payload);
	mnl_attr_put_u32(message, FRA_PRIORITY, 100);
	mnl_attr_put_u32(message, FRA_TABLE, 100);
	mnl_attr_put_strz(message, FRA_IIFNAME, "eth0");
	assert_false(message_by_flow(message));
	mnl_attr_put_u32(message, FRA_SRC, 1);
	assert_true(message_by_flow(message));
	message->nlmsg_type = RTM_DELRULE;
	assert_false(message_by_flow(message));
	message = begin(RTM_NEWNEXTHOP, sizeof(struct nhmsg), &payload);
	mnl_attr_put(message, NHA_GROUP, sizeof(hops[0]), hops);
	assert_false(message_by_flow(message));
	message = begin(RTM_NEWNEXTHOP, sizeof(struct nhmsg), &payload);
	mnl_attr_put(message, NHA_GROUP, sizeof(hops), hops);
	assert_true(message_by_flow(message));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(routes_part),
		cmocka_unit_test(rules_and_groups_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
