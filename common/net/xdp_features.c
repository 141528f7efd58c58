// SPDX-License-Identifier: GPL-2.0-only
/*
 * xdp_features.c - see xdp_features.h
 *
 * <linux/netdev.h> came with Linux 6.3; the constants used here are from
 * Documentation/netlink/specs/netdev.yaml.
 */
#include "common/net/xdp_features.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdlib.h>

#include "common/net/netlink_ask.h"

#define NETDEV_GET	    1 /* NETDEV_CMD_DEV_GET */
#define NETDEV_IFINDEX	    1 /* NETDEV_A_DEV_IFINDEX */
#define NETDEV_FEATURES	    3 /* NETDEV_A_DEV_XDP_FEATURES */
#define NETDEV_FEATURE_XMIT 4 /* NETDEV_XDP_ACT_NDO_XMIT */
#define QUESTION_SIZE	    (MNL_NLMSG_HDRLEN + 64)

static struct nlmsghdr *question(char *buffer, __u16 type, __u16 flags,
				 __u8 command)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *head;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	head = mnl_nlmsg_put_extra_header(message, sizeof(*head));
	head->cmd = command;
	head->version = 1;
	return message;
}

static int family_attribute(const struct nlattr *attribute, void *data)
{
	if (mnl_attr_get_type(attribute) == CTRL_ATTR_FAMILY_ID)
		*(__u16 *)data = mnl_attr_get_u16(attribute);
	return MNL_CB_OK;
}

static int family_answer(const struct nlmsghdr *message, void *data)
{
	return mnl_attr_parse(message, sizeof(struct genlmsghdr),
			      family_attribute, data);
}

/* 0: this kernel has no such family. */
static __u16 family(void)
{
	char buffer[QUESTION_SIZE] = {0};
	struct nlmsghdr *message =
		question(buffer, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	__u16 id = 0;

	mnl_attr_put_strz(message, CTRL_ATTR_FAMILY_NAME, "netdev");
	return netlink_ask_of(NETLINK_GENERIC, message, family_answer, &id)
		       ? 0
		       : id;
}

struct list {
	struct xdp_features *rows;
	int count;
};

static int device_attribute(const struct nlattr *attribute, void *data)
{
	struct xdp_features *row = data;

	if (mnl_attr_get_type(attribute) == NETDEV_IFINDEX)
		row->ifindex = (int)mnl_attr_get_u32(attribute);
	if (mnl_attr_get_type(attribute) == NETDEV_FEATURES)
		row->xmit = mnl_attr_get_u64(attribute) & NETDEV_FEATURE_XMIT;
	return MNL_CB_OK;
}

static int device_answer(const struct nlmsghdr *message, void *data)
{
	struct list *list = data;
	struct xdp_features *grown =
		realloc(list->rows, (size_t)(list->count + 1) * sizeof(*grown));

	if (!grown)
		return MNL_CB_ERROR;
	list->rows = grown;
	grown[list->count] = (struct xdp_features){0};
	return mnl_attr_parse(message, sizeof(struct genlmsghdr),
			      device_attribute, &grown[list->count++]);
}

static void list_empty(void *data)
{
	struct list *list = data;

	list->count = 0;
}

int xdp_features_read(struct xdp_features **rows)
{
	char buffer[QUESTION_SIZE] = {0};
	struct list list = {NULL, 0};
	__u16 id = family();

	*rows = NULL;
	if (!id)
		return 0;
	if (netlink_dump(NETLINK_GENERIC,
			 question(buffer, id, NLM_F_DUMP, NETDEV_GET),
			 device_answer, &list, list_empty)) {
		free(list.rows);
		return 0;
	}
	*rows = list.rows;
	return list.count;
}
