// SPDX-License-Identifier: GPL-2.0-only
/*
 * netlink.c - rtnetlink, by libmnl
 *
 * A request is a message and a function that is called for each answer.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/core/address.h"
#include "common/net/netlink.h"
#include "common/net/netlink_ask.h"

#define ANSWER_SIZE 32768 /* a dump's answers come in pages of up to this */

int netlink_ask_of(int bus, struct nlmsghdr *question, mnl_cb_t answer,
		   void *data)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	static char page[ANSWER_SIZE];
	unsigned int port;
	ssize_t length;
	int rc = -1;

	if (!socket)
		return -errno;
	question->nlmsg_seq = 1;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, question, question->nlmsg_len) < 0)
		goto out;
	port = mnl_socket_get_portid(socket);
	do {
		length = mnl_socket_recvfrom(socket, page, sizeof(page));
		if (length < 0)
			goto out;
		rc = mnl_cb_run(page, (size_t)length, 1, port, answer, data);
		/* The answer to a single request has no end mark. */
	} while (rc > MNL_CB_STOP &&
		 (question->nlmsg_flags & (NLM_F_DUMP | NLM_F_ACK)));
out:
	rc = rc < 0 ? -errno : 0;
	mnl_socket_close(socket);
	return rc;
}

int netlink_ask(struct nlmsghdr *question, mnl_cb_t answer, void *data)
{
	return netlink_ask_of(NETLINK_ROUTE, question, answer, data);
}

int netlink_dump(int bus, struct nlmsghdr *question, mnl_cb_t answer,
		 void *data, void (*begin)(void *data))
{
	int tries, rc = -EINTR;

	for (tries = 0; tries < 10 && rc == -EINTR; tries++) {
		if (begin)
			begin(data);
		rc = netlink_ask_of(bus, question, answer, data);
	}
	return rc;
}

int netlink_dump_family(__u16 type, int family, size_t head, mnl_cb_t answer,
			void *data, void (*begin)(void *data))
{
	char buffer[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);

	question->nlmsg_type = type;
	question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	*(__u8 *)mnl_nlmsg_put_extra_header(question, head) = (__u8)family;
	return netlink_dump(NETLINK_ROUTE, question, answer, data, begin);
}

struct list {
	void *rows;
	size_t size; /* of a row */
	int count;
};

static void *list_add(struct list *list)
{
	void *grown =
		realloc(list->rows, (size_t)(list->count + 1) * list->size);

	if (!grown)
		return NULL;
	list->rows = grown;
	return memset((char *)grown + (size_t)list->count++ * list->size, 0,
		      list->size);
}

static void list_empty(void *data)
{
	struct list *list = data;

	list->count = 0;
}

static int ask_list(struct nlmsghdr *question, mnl_cb_t answer,
		    struct list *list)
{
	return netlink_dump(NETLINK_ROUTE, question, answer, list, list_empty);
}

static int link_vlan(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_VLAN_ID:
		link->vlan_id = mnl_attr_get_u16(attribute);
		break;
	case IFLA_VLAN_PROTOCOL:
		link->vlan_protocol = (FORCE __be16)mnl_attr_get_u16(attribute);
		break;
	}
	return MNL_CB_OK;
}

static int link_kind(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
		strncpy(link->kind, mnl_attr_get_str(attribute),
			sizeof(link->kind) - 1);
	/* Comes after the kind. */
	if (mnl_attr_get_type(attribute) == IFLA_INFO_DATA &&
	    !strcmp(link->kind, "vlan"))
		return mnl_attr_parse_nested(attribute, link_vlan, link);
	return MNL_CB_OK;
}

static int link_attribute(const struct nlattr *attribute, void *data)
{
	struct link *link = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		strncpy(link->name, mnl_attr_get_str(attribute),
			sizeof(link->name) - 1);
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attribute) == sizeof(link->mac))
			memcpy(link->mac, mnl_attr_get_payload(attribute),
			       sizeof(link->mac));
		break;
	case IFLA_LINK:
		link->lower = (int)mnl_attr_get_u32(attribute);
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_MASTER:
		link->master = (int)mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		return mnl_attr_parse_nested(attribute, link_kind, link);
	}
	return MNL_CB_OK;
}

static int link_answer(const struct nlmsghdr *message, void *data)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = list_add(data);

	if (!link)
		return MNL_CB_ERROR;
	link->ifindex = info->ifi_index;
	link->type = info->ifi_type;
	return mnl_attr_parse(message, sizeof(*info), link_attribute, link);
}

int links_read(struct link **rows, struct fault *fault_out)
{
	char buffer[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct list list = {NULL, sizeof(struct link), 0};
	struct ifinfomsg *info;
	int rc;

	question->nlmsg_type = RTM_GETLINK;
	question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(question, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	rc = ask_list(question, link_answer, &list);
	*rows = list.rows;
	if (!rc)
		return list.count;
	free(list.rows);
	*rows = NULL;
	return fault(fault_out, "cannot list the interfaces: %s",
		     strerror(-rc));
}

int link_find(const char *name, struct link *found, struct fault *fault_out)
{
	struct link *links;
	int i, count = links_read(&links, fault_out), rc = -1;

	if (count < 0)
		return -1;
	for (i = 0; i < count && rc; i++) {
		if (strcmp(links[i].name, name))
			continue;
		*found = links[i];
		rc = 0;
	}
	free(links);
	if (rc) {
		fault(fault_out, "cannot use interface '%s': no such interface",
		      name);
		fault_hint(fault_out, "ip -br link");
	}
	return rc;
}

int address_get(const struct nlattr *attribute, struct addr *address)
{
	switch (mnl_attr_get_payload_len(attribute)) {
	case 4:
		addr_set_v4(address,
			    *(__be32 *)mnl_attr_get_payload(attribute));
		return 0;
	case 16:
		memcpy(address, mnl_attr_get_payload(attribute), 16);
		return 0;
	default:
		return -1;
	}
}

static int address_attribute(const struct nlattr *attribute, void *data)
{
	struct link_address *row = data;
	int type = mnl_attr_get_type(attribute);

	/*
	 * With a peer, IFA_ADDRESS is the peer's; the order of the two depends
	 * on the family.
	 */
	if (type == IFA_LOCAL)
		row->local = !address_get(attribute, &row->address);
	else if (type == IFA_ADDRESS && !row->local)
		address_get(attribute, &row->address);
	return MNL_CB_OK;
}

static int address_answer(const struct nlmsghdr *message, void *data)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct link_address *row = list_add(data);

	if (!row)
		return MNL_CB_ERROR;
	row->ifindex = (int)info->ifa_index;
	row->prefix = info->ifa_prefixlen;
	return mnl_attr_parse(message, sizeof(*info), address_attribute, row);
}

bool addresses_have(const struct link_address *list, int count,
		    const struct addr *address)
{
	int i;

	for (i = 0; i < count; i++) {
		if (addr_equal(&list[i].address, address))
			return true;
	}
	return false;
}

int addresses_read(struct link_address **rows, struct fault *fault_out)
{
	char buffer[MNL_NLMSG_HDRLEN + 64] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct list list = {NULL, sizeof(struct link_address), 0};
	struct ifaddrmsg *info;
	int rc;

	question->nlmsg_type = RTM_GETADDR;
	question->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	info = mnl_nlmsg_put_extra_header(question, sizeof(*info));
	info->ifa_family = AF_UNSPEC;
	rc = ask_list(question, address_answer, &list);
	*rows = list.rows;
	if (!rc)
		return list.count;
	free(list.rows);
	*rows = NULL;
	return fault(fault_out, "cannot list this host's addresses: %s",
		     strerror(-rc));
}

__u8 family_of(const struct addr *address)
{
	return addr_is_v4(address) ? AF_INET : AF_INET6;
}

void hop_get(const struct nlattr *attribute, int *ifindex, struct addr *via)
{
	const struct rtvia *other = mnl_attr_get_payload(attribute);

	switch (mnl_attr_get_type(attribute)) {
	case RTA_OIF:
		*ifindex = (int)mnl_attr_get_u32(attribute);
		break;
	case RTA_GATEWAY:
		address_get(attribute, via);
		break;
	case RTA_VIA:
		if (mnl_attr_get_payload_len(attribute) >=
			    sizeof(*other) + 16 &&
		    other->rtvia_family == AF_INET6)
			addr_set_v6(via, (const __be32 *)other->rtvia_addr);
		break;
	}
}

void address_put(struct nlmsghdr *message, __u16 type,
		 const struct addr *address)
{
	if (addr_is_v4(address))
		mnl_attr_put(message, type, 4, &address->w[3]);
	else
		mnl_attr_put(message, type, 16, address);
}

int address_on_lo(const struct addr *address, bool add)
{
	char buffer[MNL_NLMSG_HDRLEN + 128] = {0};
	struct nlmsghdr *question = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *info;

	question->nlmsg_type = add ? RTM_NEWADDR : RTM_DELADDR;
	question->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK |
				(add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	info = mnl_nlmsg_put_extra_header(question, sizeof(*info));
	info->ifa_family = family_of(address);
	info->ifa_prefixlen = addr_is_v4(address) ? 32 : 128;
	info->ifa_flags = IFA_F_PERMANENT | IFA_F_NODAD;
	info->ifa_index = if_nametoindex("lo");
	address_put(question, IFA_LOCAL, address);
	address_put(question, IFA_ADDRESS, address);
	return netlink_ask(question, NULL, NULL);
}
