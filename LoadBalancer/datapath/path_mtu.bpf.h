/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * path_mtu.bpf.h - learn from routers' errors how narrow the path to a backend
 * is
 *
 * To routers, a packet in an outer header is the load balancer's own: if the
 * next link does not take it, the error comes here. It is believed if the
 * quoted outer header has our mark (common/core/mark.h), the error's checksum
 * is right, and the MTU is smaller than the quoted packet but possible for a
 * link.
 */
#pragma once

#include "LoadBalancer/datapath/icmp_error.bpf.h"
#include "LoadBalancer/datapath/mark.bpf.h"
#include "common/bpf/dry.h"
#include "common/bpf/hand.h"
#include "common/core/age.h"
#include "common/core/hash.h"
#include "common/core/quote.h"
#include "common/core/verifier.h"

/* An error saying that an outer header of ours was too big. */
struct mtu_report {
	struct addr to; /* the backend */
	__u64 flow;	/* the flow that the mark covers, see mark.h */
	__u32 mark;	/* as it was quoted */
	__u32 mask;	/* its bits */
	__u32 length;	/* of the outer packet */
	__u32 mtu;
};

INLINE bool is_too_big(const struct packet *packet, const struct icmp *icmp)
{
	if (packet->is_ipv6)
		return icmp->type == ICMPV6_TOO_BIG;
	return icmp->type == ICMP_UNREACHABLE && icmp->code == ICMP_FRAG_NEEDED;
}

/* The outer packet quoted at `ip`, IPv4. False: it is not ours. */
INLINE bool report_v4(struct mtu_report *report, const struct packet *packet,
		      struct iphdr *ip, void *end)
{
	void *inner = ip + 1;
	struct addr from;

	if (inner + 2 * sizeof(__be32) > end || ip->version != 4 ||
	    ip->ihl != 5 ||
	    (ip->protocol != IPPROTO_IPIP && ip->protocol != IPPROTO_IPV6))
		return false;
	addr_set_v4(&from, ip->saddr);
	addr_set_v4(&report->to, ip->daddr);
	report->flow = mark_word(inner, ip->protocol == IPPROTO_IPV6);
	report->mark = bpf_ntohs(ip->id);
	report->mask = MARK_V4;
	report->length = bpf_ntohs(ip->tot_len);
	return addr_equal(&from, &packet->destination);
}

/* The same for IPv6, without the flow. */
INLINE bool report_v6(struct mtu_report *report, const struct packet *packet,
		      struct ipv6hdr *ip, void *end)
{
	struct addr from;

	if ((void *)(ip + 1) > end || ip->version != 6 ||
	    (ip->nexthdr != IPPROTO_IPIP && ip->nexthdr != IPPROTO_IPV6))
		return false;
	addr_set_v6(&from, ip->saddr.s6_addr32);
	addr_set_v6(&report->to, ip->daddr.s6_addr32);
	report->mark = bpf_ntohl(*(__be32 *)ip) & MARK_V6;
	report->mask = MARK_V6;
	report->length = sizeof(*ip) + bpf_ntohs(ip->payload_len);
	return addr_equal(&from, &packet->destination);
}

/*
 * The hash of the flow inside the outer IPv6 header that the error in `parsed`
 * quotes; 0: unreadable, or IPv4.
 */
SEPARATE __u64 report_flow(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct quoted_ports *ports;
	struct packet *packet, inner;
	struct ipv6hdr *ip;
	__u32 at;

	packet = handed_packet();
	if (!packet || !packet->is_ipv6)
		return 0;
	at = packet->l3_offset;
	if (at > L3_MOST)
		return 0;
	at += sizeof(*ip) + sizeof(struct icmp);
	ip = data + at;
	if ((void *)(ip + 1) > end)
		return 0;
	ports = quote_flow(&inner, ip + 1, ip->nexthdr == IPPROTO_IPV6, end);
	if (!ports)
		return 0;
	inner.source_port = ports->source;
	inner.port = ports->destination;
	return hash_packet(&inner);
}

/* Reads the error in `parsed`. False: it is about something else. */
INLINE bool report_read(struct mtu_report *report, struct xdp_md *ctx,
			const struct packet *packet, __u64 flow)
{
	void *end = (void *)(long)ctx->data_end;
	__u32 at = packet->l3_offset;
	struct icmp *icmp;
	bool is_ours;

	at += packet->is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	/* Routers put neither options nor other headers into an error. */
	if (at != packet->l3_offset + packet->l4_offset || at > L3_MOST)
		return false;
	icmp = (void *)(long)ctx->data + at;
	if ((void *)(icmp + 1) > end || !is_too_big(packet, icmp))
		return false;
	report->mtu = bpf_ntohs(icmp->sequence);
	if (packet->is_ipv6)
		report->mtu |= (__u32)bpf_ntohs(icmp->id) << 16;
	is_ours = packet->is_ipv6
			  ? report_v6(report, packet, (void *)(icmp + 1), end)
			  : report_v4(report, packet, (void *)(icmp + 1), end);
	if (is_ours && packet->is_ipv6)
		report->flow = flow;
	return is_ours;
}

INLINE bool mark_is(const struct mtu_report *report, __u32 period)
{
	__u64 hash = own_mark_to(&report->to, report->flow, period);

	return !((hash ^ report->mark) & report->mask);
}

/* After MARK_GUESSES wrong marks in a second, no mark is looked at. */
INLINE bool mark_is_good(const struct mtu_report *report, __u64 now)
{
	__u64 second = now / (constants.mtu_age / PATH_MTU_SECONDS);
	__u32 zero = 0, period = mark_period(now);
	struct guesses *guesses_ = bpf_map_lookup_elem(&guesses, &zero);

	if (!guesses_ ||
	    (guesses_->second == second && guesses_->wrong >= MARK_GUESSES))
		return false;
	if (mark_is(report, period) || mark_is(report, period - 1))
		return true;
	if (guesses_->second != second) {
		EFFECT(guesses_->second = second);
		EFFECT(guesses_->wrong = 0);
	}
	EFFECT(__sync_fetch_and_add(&guesses_->wrong, 1));
	return false;
}

/* For the error in `parsed`; `flow`: report_flow()'s. enum reason. */
SEPARATE int learn_mtu(struct xdp_md *ctx, __u64 flow)
{
	__u32 least;
	struct packet *packet = handed_packet();
	struct path_mtu value = {};
	struct mtu_report report = {};

	if (!packet || !report_read(&report, ctx, packet, flow))
		return REASON_not_vip;
	least = packet->is_ipv6 ? IPV6_LEAST : IPV4_LEAST;
	value.seen = bpf_jiffies64();
	value.mtu = report.mtu;
	if (report.mtu < least || report.mtu >= report.length ||
	    icmp_error_sum(ctx, packet->l3_offset, packet->is_ipv6) != 0xffff ||
	    !mark_is_good(&report, value.seen))
		return REASON_path_mtu_refused;
	EFFECT(bpf_map_update_elem(&path_mtus, &report.to, &value, BPF_ANY));
	return REASON_path_mtu_learned;
}

/* The MTU known for the path to an address; 0: unknown or expired. */
INLINE __u32 path_mtu(const struct addr *to, __u64 now)
{
	struct path_mtu *path = bpf_map_lookup_elem(&path_mtus, to);

	return path && age(now, path->seen) <= constants.mtu_age ? path->mtu
								 : 0;
}
