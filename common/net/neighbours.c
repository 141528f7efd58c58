// SPDX-License-Identifier: GPL-2.0-only
#include "common/net/neighbours.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "common/net/netlink_ask.h"
#include "common/net/routes.h"

#define WAIT 500 /* milliseconds, in neighbours_wait() */

static const char *state_text(__u16 state)
{
	switch (state) {
	case NUD_PERMANENT:
		return "permanent";
	case NUD_REACHABLE:
		return "reachable";
	case NUD_STALE:
		return "stale";
	case NUD_DELAY:
		return "delay";
	case NUD_PROBE:
		return "probe";
	case NUD_FAILED:
		return "failed";
	case NUD_INCOMPLETE:
		return "incomplete";
	case NUD_NOARP:
		return "noarp";
	default:
		return "none";
	}
}

static int attribute(const struct nlattr *attribute, void *data)
{
	struct neighbour *neighbour = data;

	switch (mnl_attr_get_type(attribute)) {
	case NDA_LLADDR:
		if (mnl_attr_get_payload_len(attribute) ==
		    sizeof(neighbour->mac))
			memcpy(neighbour->mac, mnl_attr_get_payload(attribute),
			       sizeof(neighbour->mac));
		break;
	case NDA_FLAGS_EXT:
		neighbour->managed =
			mnl_attr_get_u32(attribute) & NTF_EXT_MANAGED;
		break;
	}
	return MNL_CB_OK;
}

static int answer(const struct nlmsghdr *message, void *data)
{
	const struct ndmsg *info = mnl_nlmsg_get_payload(message);
	struct neighbour *neighbour = data;

	neighbour->there = true;
	neighbour->state = state_text(info->ndm_state);
	neighbour->permanent = info->ndm_state & NUD_PERMANENT;
	neighbour->resolved =
		info->ndm_state & (NUD_PERMANENT | NUD_REACHABLE | NUD_STALE |
				   NUD_DELAY | NUD_PROBE | NUD_NOARP);
	return mnl_attr_parse(message, sizeof(*info), attribute, neighbour);
}

/* A message about one entry; `buffer` has the size that it needs. */
#define MESSAGE_SIZE (MNL_NLMSG_HDRLEN + 128)
static struct nlmsghdr *about(char *buffer, __u16 type, __u16 flags,
			      int ifindex, const struct addr *address,
			      __u16 state)
{
	struct nlmsghdr *message;
	struct ndmsg *info;

	memset(buffer, 0, MESSAGE_SIZE);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ndm_family = family_of(address);
	info->ndm_ifindex = ifindex;
	info->ndm_state = state;
	address_put(message, NDA_DST, address);
	return message;
}

void neighbour_read(int ifindex, const struct addr *address,
		    struct neighbour *neighbour)
{
	char buffer[MESSAGE_SIZE];

	memset(neighbour, 0, sizeof(*neighbour));
	neighbour->state = "none";
	/* -ENOENT: there is no entry yet. */
	netlink_ask(about(buffer, RTM_GETNEIGH, 0, ifindex, address, 0), answer,
		    neighbour);
}

int neighbours_possible(struct fault *fault_out)
{
	struct utsname host;
	int major = 0, minor = 0;

	if (!uname(&host))
		sscanf(host.release, "%d.%d", &major, &minor);
	if (major > 5 || (major == 5 && minor >= 16))
		return 0;
	return fault(fault_out, "cannot make next hops managed: this needs "
				"Linux 5.16");
}

int neighbour_manage(int ifindex, const struct addr *address)
{
	char buffer[MESSAGE_SIZE];
	struct nlmsghdr *message = about(
		buffer, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		ifindex, address, NUD_NONE);

	mnl_attr_put_u32(message, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return netlink_ask(message, NULL, NULL);
}

int neighbour_use(int ifindex, const struct addr *address)
{
	char buffer[MESSAGE_SIZE];
	struct nlmsghdr *message =
		about(buffer, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, ifindex,
		      address, NUD_NONE);

	((struct ndmsg *)mnl_nlmsg_get_payload(message))->ndm_flags = NTF_USE;
	return netlink_ask(message, NULL, NULL);
}

int neighbour_ask(int ifindex, const struct addr *address)
{
	struct neighbour is;

	neighbour_read(ifindex, address, &is);
	if (is.resolved)
		return 0;
	/* An entry that is made or used without the flag loses it. */
	if (is.managed)
		return neighbour_manage(ifindex, address);
	return neighbour_use(ifindex, address);
}

void neighbours_wait(const struct route_hop *hops, const bool *is_asked,
		     int count)
{
	static const struct timespec moment = {0, 10 * 1000 * 1000};
	struct neighbour is;
	int waited = 0, i = 0;
	bool waits;

	while (i < count && waited < WAIT) {
		waits = hops[i].ifindex && (!is_asked || is_asked[i]);
		if (waits)
			neighbour_read(hops[i].ifindex, &hops[i].via, &is);
		if (!waits || is.resolved) {
			i++;
			continue;
		}
		nanosleep(&moment, NULL);
		waited += 10;
	}
}

int neighbour_release(int ifindex, const struct addr *address,
		      const struct neighbour *is)
{
	char buffer[MESSAGE_SIZE];
	struct nlmsghdr *message = about(
		buffer, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
		ifindex, address, NUD_STALE);

	mnl_attr_put(message, NDA_LLADDR, sizeof(is->mac), is->mac);
	mnl_attr_put_u32(message, NDA_FLAGS_EXT, 0);
	return netlink_ask(message, NULL, NULL);
}

int neighbour_remove(int ifindex, const struct addr *address)
{
	char buffer[MESSAGE_SIZE];

	return netlink_ask(
		about(buffer, RTM_DELNEIGH, NLM_F_ACK, ifindex, address, 0),
		NULL, NULL);
}
