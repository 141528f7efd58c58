// SPDX-License-Identifier: GPL-2.0-only
/*
 * sockets.c - see sockets.h
 *
 * One dump for each family. For an IPv6 socket in LISTEN or CLOSE the kernel
 * also reports whether it is for IPv6 only (INET_DIAG_SKV6ONLY).
 */
#include "common/net/sockets.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/address.h"

/* A dump's answers come in pages of up to this. */
#define PAGE_SIZE_MOST 32768

struct sockets {
	struct socket_row *rows;
	int count;
};

static int each_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *is = mnl_nlmsg_get_payload(message);
	static const __be32 any[4];
	struct sockets *all = data;
	struct nlattr *attribute;
	struct socket_row *row;
	bool ipv6 = is->idiag_family == AF_INET6, only = false;

	row = realloc(all->rows, ((size_t)all->count + 1) * sizeof(*row));
	if (!row)
		return MNL_CB_ERROR;
	all->rows = row;
	row += all->count++;
	mnl_attr_for_each(attribute, message, sizeof(*is))
	{
		if (mnl_attr_get_type(attribute) == INET_DIAG_SKV6ONLY)
			only = mnl_attr_get_u8(attribute);
	}
	memset(row, 0, sizeof(*row));
	row->port = is->id.idiag_sport;
	if (ipv6) {
		addr_set_v6(&row->local, is->id.idiag_src);
		row->is_wildcard = !memcmp(is->id.idiag_src, any, sizeof(any));
	} else {
		addr_set_v4(&row->local, is->id.idiag_src[0]);
		row->is_wildcard = !is->id.idiag_src[0];
	}
	if (ipv6)
		addr_set_v6(&row->peer, is->id.idiag_dst);
	else
		addr_set_v4(&row->peer, is->id.idiag_dst[0]);
	row->peer_port = is->id.idiag_dport;
	row->takes_ipv6 = ipv6;
	row->takes_ipv4 = !ipv6 || (row->is_wildcard && !only);
	return MNL_CB_OK;
}

static int dump(struct mnl_socket *socket, int family, int protocol,
		__u32 states, struct sockets *all)
{
	static char page[PAGE_SIZE_MOST];
	char buffer[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *question;
	ssize_t length;
	int rc = MNL_CB_OK;

	message->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = (unsigned int)family;
	question = mnl_nlmsg_put_extra_header(message, sizeof(*question));
	question->sdiag_family = (__u8)family;
	question->sdiag_protocol = (__u8)protocol;
	question->idiag_states = states;
	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -1;
	while (rc > MNL_CB_STOP) {
		length = mnl_socket_recvfrom(socket, page, sizeof(page));
		if (length < 0)
			return -1;
		rc = mnl_cb_run(page, (size_t)length, message->nlmsg_seq,
				mnl_socket_get_portid(socket), each_socket,
				all);
	}
	return rc;
}

static int read_states(int protocol, __u32 states, struct socket_row **list,
		       struct fault *fault_out)
{
	struct mnl_socket *socket =
		mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
	struct sockets all = {NULL, 0};
	int rc = socket ? mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) : -1;

	rc = rc < 0 ? -1 : dump(socket, AF_INET, protocol, states, &all);
	/* A kernel without IPv6 has no such sockets. */
	if (rc >= 0 && dump(socket, AF_INET6, protocol, states, &all) < 0 &&
	    errno != ENOENT && errno != EINVAL)
		rc = -1;
	if (rc < 0)
		fault(fault_out, "cannot list sockets: %s", strerror(errno));
	if (socket)
		mnl_socket_close(socket);
	if (rc < 0) {
		free(all.rows);
		return -1;
	}
	*list = all.rows;
	return all.count;
}

int sockets_read(int protocol, struct socket_row **list,
		 struct fault *fault_out)
{
	__u32 states = 1 << (protocol == IPPROTO_TCP ? TCP_LISTEN : TCP_CLOSE);

	return read_states(protocol, states, list, fault_out);
}

int connections_read(struct socket_row **list, struct fault *fault_out)
{
	__u32 none = 1 << TCP_LISTEN | 1 << TCP_CLOSE | 1 << TCP_TIME_WAIT;
	__u32 all = (1 << (TCP_CLOSING + 1)) - 1;

	return read_states(IPPROTO_TCP, all & ~none, list, fault_out);
}
