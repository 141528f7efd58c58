// SPDX-License-Identifier: GPL-2.0-only
/*
 * done.bpf.c - tell load balancers that a server of workers is done with a
 * request, when its reply leaves this host
 *
 * For applications that do not say so themselves (key `release-to`). Both
 * programs are where the kernel takes packets from an interface, or sends them
 * (clsact). bkd_request only notes how long requests are: the message becomes
 * the next request in the queue of the load balancer, so it is as long as the
 * longest that has come. bkd_done clones the reply once for each load balancer,
 * turns the clones into messages, and leaves the reply as it is.
 *
 * A clone passes bkd_done, too; what it is to become is in tc_index, which
 * nobody else sets. Each load balancer is told, for the reply does not say who
 * has sent the request: the message names the client, so it frees the thread
 * that works for it, and at all others none.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/map.h"
#include "common/core/abi_done.h"
#include "common/core/address.h"
#include "common/core/checksum.h"
#include "common/core/schedulers/workers.h"
#include "common/core/verifier.h"
#include <stdbool.h>

char LICENSE[] SEC("license") = "GPL";

MAP(dones, HASH, struct done_key, struct done_service, MAX_DONES);

/* tc_index of a clone: which load balancer's message it becomes. */
#define CLONE 0x6c00

#define L4_V4 (ETH_HLEN + sizeof(struct iphdr))
#define L4_V6 (ETH_HLEN + sizeof(struct ipv6hdr))

/* A UDP packet without options and extension headers. */
struct datagram {
	struct addr source, destination;
	__be16 source_port, port;
	__u32 l4;     /* where UDP begins, with the link's header */
	__u32 length; /* of the IP packet */
};

INLINE bool read_v4(struct __sk_buff *skb, struct datagram *datagram)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.ihl != 5 ||
	    ip.protocol != IPPROTO_UDP || ip.frag_off & bpf_htons(0x1fff))
		return false;
	addr_set_v4(&datagram->source, ip.saddr);
	addr_set_v4(&datagram->destination, ip.daddr);
	datagram->length = bpf_ntohs(ip.tot_len);
	datagram->l4 = L4_V4;
	return true;
}

INLINE bool read_v6(struct __sk_buff *skb, struct datagram *datagram)
{
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) ||
	    ip.nexthdr != IPPROTO_UDP)
		return false;
	__builtin_memcpy(&datagram->source, &ip.saddr, sizeof(struct addr));
	__builtin_memcpy(&datagram->destination, &ip.daddr,
			 sizeof(struct addr));
	datagram->length = sizeof(ip) + bpf_ntohs(ip.payload_len);
	datagram->l4 = L4_V6;
	return true;
}

INLINE bool datagram_read(struct __sk_buff *skb, struct datagram *datagram)
{
	struct udphdr udp;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!read_v4(skb, datagram))
			return false;
	} else if (skb->protocol != bpf_htons(ETH_P_IPV6) ||
		   !read_v6(skb, datagram)) {
		return false;
	}
	if (bpf_skb_load_bytes(skb, datagram->l4, &udp, sizeof(udp)))
		return false;
	datagram->source_port = udp.source;
	datagram->port = udp.dest;
	return true;
}

INLINE struct done_service *service_at(const struct addr *vip, __be16 port)
{
	struct done_key key = {.vip = *vip, .port = port};

	return bpf_map_lookup_elem(&dones, &key);
}

SEC("tc")
int bkd_request(struct __sk_buff *skb)
{
	struct datagram request;
	struct done_service *service;

	if (!datagram_read(skb, &request))
		return TC_ACT_UNSPEC;
	service = service_at(&request.destination, request.port);
	if (service && request.length > service->longest &&
	    request.length <= QUEUED_MOST)
		service->longest = request.length;
	return TC_ACT_UNSPEC;
}

/*
 * Has the kernel still to complete the checksum at this offset? A program is
 * not told. But where it has, this helper leaves the field as it is.
 */
INLINE bool sum_is_partial(struct __sk_buff *skb, __u32 at)
{
	__u16 sum = 0;

	bpf_skb_store_bytes(skb, at, &sum, sizeof(sum), 0);
	bpf_l4_csum_replace(skb, at, 0, bpf_htons(1), sizeof(sum));
	bpf_skb_load_bytes(skb, at, &sum, sizeof(sum));
	return !sum;
}

INLINE void write_v4(struct __sk_buff *skb, const struct done_service *service,
		     const struct addr *to, __u32 length)
{
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.tot_len = bpf_htons(length),
		.saddr = service->own.w[3],
		.daddr = to->w[3],
	};

	ip.check = (FORCE __sum16)~checksum_fold64(
		(__u32)bpf_csum_diff(NULL, 0, (void *)&ip, sizeof(ip), 0));
	bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0);
}

INLINE void write_v6(struct __sk_buff *skb, const struct done_service *service,
		     const struct addr *to, __u32 length)
{
	struct ipv6hdr ip = {
		.version = 6,
		.hop_limit = 64,
		.nexthdr = IPPROTO_UDP,
		.payload_len = bpf_htons(length - sizeof(ip)),
	};

	__builtin_memcpy(&ip.saddr, &service->own, sizeof(ip.saddr));
	__builtin_memcpy(&ip.daddr, to, sizeof(ip.daddr));
	bpf_skb_store_bytes(skb, ETH_HLEN, &ip, sizeof(ip), 0);
}

/* UDP and what the message says; zeros follow, which add nothing to the sum. */
struct payload {
	struct udphdr udp;
	struct done done;
};

/* Turns a clone of the reply into the message to one load balancer. */
INLINE int message_send(struct __sk_buff *skb, const struct datagram *reply,
			const struct done_service *service,
			const struct addr *to)
{
	bool is_v4 = reply->l4 == L4_V4;
	bool is_partial = sum_is_partial(
		skb, reply->l4 + __builtin_offsetof(struct udphdr, check));
	__u32 l3_size = reply->l4 - ETH_HLEN;
	__u32 length = l3_size + sizeof(struct payload);
	struct payload payload = {
		.udp = {.source = service->release, .dest = service->release},
		.done = {.magic = bpf_htonl(DONE_MAGIC),
			 .client = reply->destination,
			 .port = reply->port},
	};
	__u64 sum;

	if (length < service->longest)
		length = service->longest;
	/* What is cut off and added again is zeros. */
	if (bpf_skb_change_tail(skb, reply->l4 + sizeof(struct udphdr), 0) ||
	    bpf_skb_change_tail(skb, ETH_HLEN + length, 0))
		return TC_ACT_SHOT;
	if (is_v4)
		write_v4(skb, service, to, length);
	else
		write_v6(skb, service, to, length);
	__builtin_memcpy(payload.done.key, service->key, RELEASE_KEY);
	payload.udp.len = bpf_htons(length - l3_size);
	sum = worker_pseudo_sum(&service->own, to, payload.udp.len);
	if (!is_partial && is_v4)
		sum = 0; /* none */
	else if (!is_partial)
		sum = (__u16)~checksum_fold64(
			sum + (__u32)bpf_csum_diff(NULL, 0, (void *)&payload,
						   sizeof(payload), 0));
	payload.udp.check = (FORCE __sum16)sum;
	bpf_skb_store_bytes(skb, reply->l4, &payload, sizeof(payload), 0);
	skb->tc_index = 0;
	return bpf_redirect_neigh(skb->ifindex, NULL, 0, 0);
}

SEC("tc")
int bkd_done(struct __sk_buff *skb)
{
	__u32 i, clone = skb->tc_index - CLONE, was = skb->tc_index;
	struct done_service *service;
	struct datagram reply;

	if (!datagram_read(skb, &reply))
		return TC_ACT_UNSPEC;
	service = service_at(&reply.source, reply.source_port);
	if (!service)
		return TC_ACT_UNSPEC;
	if (clone < MAX_DONE_TO)
		return message_send(skb, &reply, service, &service->to[clone]);
	for (i = 0; i < MAX_DONE_TO; i++) {
		if (i >= service->count)
			break;
		skb->tc_index = CLONE + i;
		bpf_clone_redirect(skb, skb->ifindex, 0);
	}
	skb->tc_index = was;
	return TC_ACT_UNSPEC;
}
