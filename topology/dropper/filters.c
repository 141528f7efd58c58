// SPDX-License-Identifier: GPL-2.0-only
#include "filters.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

static int filter_answer(const struct nlmsghdr *message, void *data)
{
	bool *found = data;

	*found |= message->nlmsg_type == RTM_NEWTFILTER;
	return MNL_CB_OK;
}

/* Reads a whole dump: what is left of one would be taken for the next. */
static int answers_read(struct mnl_socket *socket, bool *found)
{
	char page[32768]; /* as long as a page of a dump may be */
	unsigned int port = mnl_socket_get_portid(socket);
	ssize_t length;
	int rc;

	do {
		length = mnl_socket_recvfrom(socket, page, sizeof(page));
		if (length < 0)
			return -errno;
		rc = mnl_cb_run(page, (size_t)length, 0, port, filter_answer,
				found);
	} while (rc > MNL_CB_STOP);
	return rc < 0 ? -errno : 0;
}

static int filters_ask(struct mnl_socket *socket, int ifindex, __u32 parent,
		       bool *found)
{
	char buffer[MNL_NLMSG_HDRLEN + sizeof(struct tcmsg)] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct tcmsg *filter;

	question->nlmsg_type = RTM_GETTFILTER;
	question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	filter = mnl_nlmsg_put_extra_header(question, sizeof(*filter));
	filter->tcm_family = AF_UNSPEC;
	filter->tcm_ifindex = ifindex;
	filter->tcm_parent = parent;
	if (mnl_socket_sendto(socket, question, question->nlmsg_len) < 0)
		return -errno;
	return answers_read(socket, found);
}

int filters_are_left(int ifindex)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_ROUTE);
	bool found = false;
	int rc;

	if (!socket)
		return -errno;
	rc = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : 0;
	rc = rc
		     ?: filters_ask(socket, ifindex,
				    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
				    &found);
	rc = rc
		     ?: filters_ask(socket, ifindex,
				    TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
				    &found);
	mnl_socket_close(socket);
	return rc ?: found;
}
