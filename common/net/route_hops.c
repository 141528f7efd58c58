// SPDX-License-Identifier: GPL-2.0-only
/*
 * route_hops.c - the interfaces and neighbours by which this host reaches an
 * address
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "common/core/address.h"
#include "common/net/netlink_ask.h"
#include "common/net/routes.h"

bool route_is_none(int rc)
{
	return rc == -ENETUNREACH || rc == -EHOSTUNREACH || rc == -EACCES ||
	       rc == -EINVAL || rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP;
}

int route_hop_find(const struct route_hop *hops, int count, int ifindex,
		   const struct addr *via)
{
	int i;

	for (i = 0; i < count; i++) {
		if (hops[i].ifindex == ifindex &&
		    !memcmp(&hops[i].via, via, sizeof(*via)))
			return i;
	}
	return -1;
}

/* Where packets to an address may leave. */
struct route_hops {
	const struct addr *to;
	struct route_hop *at;
	int room, count;
	struct route_hop one; /* under construction */
	__u32 mtu;	      /* of the route */
	bool is_locked;	      /* so that PMTU exceptions are not looked for */
	bool unicast;
};

static int metrics_attribute(const struct nlattr *attribute, void *data)
{
	struct route_hops *hops = data;

	if (mnl_attr_get_type(attribute) == RTAX_MTU)
		hops->mtu = mnl_attr_get_u32(attribute);
	else if (mnl_attr_get_type(attribute) == RTAX_LOCK)
		hops->is_locked = mnl_attr_get_u32(attribute) >> RTAX_MTU & 1;
	return MNL_CB_OK;
}

static int hop_attribute(const struct nlattr *attribute, void *data)
{
	struct route_hop *hop = data;

	hop_get(attribute, &hop->ifindex, &hop->via);
	return MNL_CB_OK;
}

static void hop_add(struct route_hops *hops, const struct route_hop *hop)
{
	if (hop->ifindex && hops->count < hops->room)
		hops->at[hops->count++] = *hop;
}

static int hops_attribute(const struct nlattr *attribute, void *data)
{
	const struct rtnexthop *nexthop = mnl_attr_get_payload(attribute);
	int rest = mnl_attr_get_payload_len(attribute);
	struct route_hops *hops = data;
	struct route_hop hop;

	if (mnl_attr_get_type(attribute) == RTA_METRICS)
		return mnl_attr_parse_nested(attribute, metrics_attribute,
					     hops);
	if (mnl_attr_get_type(attribute) != RTA_MULTIPATH)
		return hop_attribute(attribute, &hops->one);
	for (; RTNH_OK(nexthop, rest); nexthop = RTNH_NEXT(nexthop)) {
		hop = (struct route_hop){nexthop->rtnh_ifindex, *hops->to, 0};
		mnl_attr_parse_payload((const char *)nexthop + sizeof(*nexthop),
				       nexthop->rtnh_len - sizeof(*nexthop),
				       hop_attribute, &hop);
		hop_add(hops, &hop);
		rest -= RTNH_ALIGN(nexthop->rtnh_len);
	}
	return MNL_CB_OK;
}

static int hops_answer(const struct nlmsghdr *message, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);
	struct route_hops *hops = data;

	hops->unicast = route->rtm_type == RTN_UNICAST;
	return mnl_attr_parse(message, sizeof(*route), hops_attribute, hops);
}

/* Requests that are sent at once; their answers fit a socket's buffer. */
#define BATCH	      32
#define QUESTION_SIZE (MNL_NLMSG_HDRLEN + 64)
#define ANSWER_SIZE   8192

/* The route itself, not what one packet would make of it. */
static struct nlmsghdr *question_put(char *at, const struct addr *to,
				     __u32 number)
{
	struct nlmsghdr *question = mnl_nlmsg_put_header(at);
	struct rtmsg *route;

	question->nlmsg_type = RTM_GETROUTE;
	question->nlmsg_flags = NLM_F_REQUEST;
	question->nlmsg_seq = number;
	route = mnl_nlmsg_put_extra_header(question, sizeof(*route));
	route->rtm_family = family_of(to);
	route->rtm_dst_len = addr_is_v4(to) ? 32 : 128;
	route->rtm_flags = RTM_F_FIB_MATCH;
	address_put(question, RTA_DST, to);
	return question;
}

static int batch_send(struct mnl_socket *socket, const struct addr *to,
		      __u32 first, __u32 count)
{
	char buffer[BATCH * QUESTION_SIZE] = {0};
	size_t size = 0;
	__u32 i;

	for (i = 0; i < count; i++)
		size += NLMSG_ALIGN(
			question_put(buffer + size, &to[i], first + i)
				->nlmsg_len);
	return mnl_socket_sendto(socket, buffer, size) < 0 ? -1 : 0;
}

/* One that the kernel has answered: its next hops, or why there are none. */
static int answer_read(const struct nlmsghdr *message, struct route_hops *hops)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	int i;

	if (message->nlmsg_type == NLMSG_ERROR)
		return route_is_none(error->error) ? 0 : -1;
	hops_answer(message, hops);
	if (!hops->unicast)
		return 0;
	if (!hops->count)
		hop_add(hops, &hops->one);
	for (i = 0; hops->is_locked && i < hops->count; i++)
		hops->at[i].locked = hops->mtu;
	return hops->count;
}

/* Answers come in the order of the requests. */
static int batch_read(struct mnl_socket *socket, const struct addr *to,
		      __u32 first, __u32 count, route_hops_fn *each, void *data)
{
	struct nlmsghdr page[ANSWER_SIZE / sizeof(struct nlmsghdr)];
	const struct nlmsghdr *message = page;
	struct route_hop found[MOST_ROUTE_HOPS];
	int rest = 0;
	ssize_t length;
	__u32 i;

	for (i = 0; i < count; i++) {
		struct route_hops hops = {.to = &to[i],
					  .at = found,
					  .room = MOST_ROUTE_HOPS,
					  .one.via = to[i]};

		if (!mnl_nlmsg_ok(message, rest)) {
			length =
				mnl_socket_recvfrom(socket, page, sizeof(page));
			if (length < 0)
				return -1;
			message = page;
			rest = (int)length;
		}
		if (!mnl_nlmsg_ok(message, rest) ||
		    message->nlmsg_seq != first + i)
			return -1;
		if (each(data, &to[i], found, answer_read(message, &hops)))
			return 1;
		message = mnl_nlmsg_next(message, &rest);
	}
	return 0;
}

int route_hops_each(const struct addr *to, size_t count, route_hops_fn *each,
		    void *data)
{
	struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	size_t first, some;
	int rc = 0;

	if (!socket)
		return -1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		rc = -1;
	for (first = 0; !rc && first < count; first += some) {
		some = count - first < BATCH ? count - first : BATCH;
		rc = batch_send(socket, to + first, (__u32)first, (__u32)some)
			     ?: batch_read(socket, to + first, (__u32)first,
					   (__u32)some, each, data);
	}
	mnl_socket_close(socket);
	return rc < 0 ? -1 : 0;
}

struct room {
	struct route_hop *hops;
	int room, count;
};

static bool hops_copy(void *data, const struct addr *to,
		      const struct route_hop *hops, int count)
{
	struct room *room = data;

	(void)to;
	room->count = count < room->room ? count : room->room;
	if (room->count > 0)
		memcpy(room->hops, hops, (size_t)room->count * sizeof(*hops));
	return true;
}

int route_hops_read(const struct addr *to, struct route_hop *hops, int room)
{
	struct room found = {hops, room, 0};

	return route_hops_each(to, 1, hops_copy, &found) ? -1 : found.count;
}
