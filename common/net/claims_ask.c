// SPDX-License-Identifier: GPL-2.0-only
/*
 * claims_ask.c - ask who has an address on a LAN, with an ARP request (RFC 826)
 * or a neighbour solicitation (RFC 4861 4.3)
 */
#define _GNU_SOURCE /* struct in6_pktinfo */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/core/address.h"
#include "common/net/claims_ask.h"
#include "common/net/netlink.h"

struct arp {
	struct ethhdr eth;
	struct arphdr head;
	__u8 sender_mac[6];
	__u8 sender[4];
	__u8 target_mac[6];
	__u8 target[4];
} __attribute__((packed));

struct neighbour_message {
	__u8 type, code;
	__be16 checksum; /* the kernel's */
	__be32 flags;
	__u8 target[16];
	__u8 option, option_length; /* the link-layer address, in units of 8 */
	__u8 mac[6];
};
_Static_assert(sizeof(struct neighbour_message) == 32, "neighbour_message");
enum { ND_ASKS = 135, ND_SAYS = 136, ND_SOURCE = 1, ND_TARGET = 2 };

/*
 * Proxies answer only senders that have an address; 0 if the interface has
 * none.
 */
static __be32 sender_of(int ifindex, const struct addr *but)
{
	struct link_address *rows = NULL;
	struct fault ignored;
	int i, count = addresses_read(&rows, &ignored);
	__be32 sender = 0;

	for (i = 0; i < count && !sender; i++) {
		if (rows[i].ifindex == ifindex &&
		    addr_is_v4(&rows[i].address) &&
		    !addr_equal(&rows[i].address, but))
			sender = rows[i].address.w[3];
	}
	free(rows);
	return sender;
}

static void arp_send(int fd, const struct claimed *row)
{
	__be32 sender = sender_of(row->ifindex, &row->address);
	struct arp ask = {
		.eth.h_proto = bpf_htons(ETH_P_ARP),
		.head = {htons(ARPHRD_ETHER), htons(ETH_P_IP), 6, 4,
			 htons(ARPOP_REQUEST)},
	};
	struct sockaddr_ll to = {.sll_family = AF_PACKET,
				 .sll_protocol = bpf_htons(ETH_P_ARP),
				 .sll_ifindex = row->ifindex};

	memset(ask.eth.h_dest, 0xff, 6);
	memcpy(ask.eth.h_source, row->own, 6);
	memcpy(ask.sender_mac, row->own, 6);
	memcpy(ask.sender, &sender, 4);
	memcpy(ask.target, &row->address.w[3], 4);
	sendto(fd, &ask, sizeof(ask), MSG_DONTWAIT, (struct sockaddr *)&to,
	       sizeof(to));
}

static void nd_send(int fd, const struct claimed *row)
{
	struct neighbour_message ask = {
		.type = ND_ASKS, .option = ND_SOURCE, .option_length = 1};
	struct sockaddr_in6 to = {.sin6_family = AF_INET6,
				  .sin6_scope_id = (__u32)row->ifindex};
	const __u8 *address = (const __u8 *)&row->address;
	__u8 group[16] = {0xff, 2, [11] = 1, [12] = 0xff};

	memcpy(ask.target, address, 16);
	memcpy(ask.mac, row->own, 6);
	memcpy(group + 13, address + 13, 3);
	memcpy(&to.sin6_addr, group, 16);
	sendto(fd, &ask, sizeof(ask), MSG_DONTWAIT, (struct sockaddr *)&to,
	       sizeof(to));
}

static void heard(struct claimed *list, int count, const struct addr *address,
		  int ifindex, const __u8 *mac)
{
	int i;

	for (i = 0; i < count; i++) {
		if (list[i].ifindex == ifindex &&
		    addr_equal(&list[i].address, address) &&
		    memcmp(mac, list[i].own, 6))
			memcpy(list[i].other, mac, 6);
	}
}

static void arp_hear(int fd, struct claimed *list, int count)
{
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	struct addr address;
	struct arp said;
	__be32 sender;

	while (recvfrom(fd, &said, sizeof(said), MSG_DONTWAIT,
			(struct sockaddr *)&from,
			&size) == (ssize_t)sizeof(said)) {
		memcpy(&sender, said.sender, 4);
		addr_set_v4(&address, sender);
		if (said.head.ar_op == htons(ARPOP_REPLY))
			heard(list, count, &address, from.sll_ifindex,
			      said.sender_mac);
	}
}

/* The interface by which a message came in. */
static int came_by(struct msghdr *message)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	struct in6_pktinfo info = {.ipi6_ifindex = 0};

	for (; head; head = CMSG_NXTHDR(message, head)) {
		if (head->cmsg_level == IPPROTO_IPV6 &&
		    head->cmsg_type == IPV6_PKTINFO)
			memcpy(&info, CMSG_DATA(head), sizeof(info));
	}
	return (int)info.ipi6_ifindex;
}

static void nd_hear(int fd, struct claimed *list, int count)
{
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	struct neighbour_message said;
	struct iovec part = {&said, sizeof(said)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct addr address;

	while (recvmsg(fd, &message, MSG_DONTWAIT) >= (ssize_t)sizeof(said)) {
		memcpy(&address, said.target, 16);
		if (said.type == ND_SAYS && said.option == ND_TARGET)
			heard(list, count, &address, came_by(&message),
			      said.mac);
		message.msg_controllen = sizeof(control);
	}
}

static int left(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((end->tv_sec - now.tv_sec) * 1000 +
		     (end->tv_nsec - now.tv_nsec) / 1000000);
}

static void hear(struct pollfd *fds, struct claimed *list, int count, int wait)
{
	struct timespec end;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += wait / 1000;
	end.tv_nsec += wait % 1000 * 1000000L;
	while ((wait = left(&end)) > 0 && poll(fds, 2, wait) > 0) {
		arp_hear(fds[0].fd, list, count);
		nd_hear(fds[1].fd, list, count);
	}
}

/* -1 if the host has no IPv6. */
static int nd_open(void)
{
	int fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
	int hops = 255, on = 1;

	if (fd >= 0) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops,
			   sizeof(hops));
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	}
	return fd;
}

int claims_ask(struct claimed *list, int count, int wait)
{
	struct pollfd fds[2] = {{-1, POLLIN, 0}, {-1, POLLIN, 0}};
	int i;

	fds[0].fd =
		socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP));
	if (fds[0].fd < 0)
		return -1;
	fds[1].fd = nd_open();
	for (i = 0; i < count; i++) {
		memset(list[i].other, 0, 6);
		if (addr_is_v4(&list[i].address))
			arp_send(fds[0].fd, &list[i]);
		else if (fds[1].fd >= 0)
			nd_send(fds[1].fd, &list[i]);
	}
	hear(fds, list, count, wait);
	close(fds[0].fd);
	if (fds[1].fd >= 0)
		close(fds[1].fd);
	return 0;
}
