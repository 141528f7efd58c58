/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat_error.bpf.h - lbr_nat's ICMP errors: to the backend about its reply, and
 * about merged packets of a client, which xdp_lbr in generic mode passes
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "LoadBalancer/datapath/icmp_error_write.bpf.h"
#include "LoadBalancer/datapath/nat_maps.bpf.h"
#include "common/bpf/device.h"
#include "common/bpf/exit.h"
#include "common/core/checksum.h"

/*
 * The same as icmp_error_write(), for a socket buffer. A merged packet is a
 * single one from then on.
 */
SEPARATE int nat_error_write(CONTEXT *ctx, __u32 what, __u32 mtu)
{
	struct packet *packet = handed_packet();
	__u32 quote, at;

	if (!packet)
		return ICMP_ERROR_NONE;
	if (what == ICMP_ERROR_TOO_BIG)
		mtu = icmp_error_mtu(packet, mtu);
	at = packet->l3_offset;
	quote = icmp_error_cut(ctx, packet);
	if (bpf_skb_change_tail(ctx, at + quote, 0) ||
	    bpf_skb_change_head(ctx, icmp_error_head(packet), 0) ||
	    bpf_skb_pull_data(ctx, ctx->len))
		return ICMP_ERROR_NONE;
	return icmp_error_put(ctx, packet, what, mtu, quote);
}

/* The largest packet on the wire that this one is sent as, in bytes from IP. */
INLINE __u32 nat_packet_size(CONTEXT *ctx, const struct packet *packet)
{
	__u32 header = sizeof(struct udphdr), segment = ctx->gso_size;
	__u8 words = 0;

	if (!segment)
		return packet->length;
	if (packet->protocol == IPPROTO_TCP) {
		bpf_skb_load_bytes(ctx,
				   (packet->l3_offset & 127) +
					   (packet->l4_offset & 0x7fff) + 12,
				   &words, sizeof(words));
		header = words >> 4 << 2;
	}
	return packet->l4_offset + header + segment;
}

/*
 * Is it larger than the way out takes? By the MTU of that interface: that of a
 * route may be a path's, which any host sets with one ICMP error to an address
 * of ours.
 */
INLINE bool nat_is_too_big(CONTEXT *ctx, struct nat_handed *h,
			   const struct packet *packet)
{
	__u32 size = nat_packet_size(ctx, packet), mtu = 0;

	if (size <= ICMP_ERROR_IPV4) /* any link takes it */
		return false;
	bpf_check_mtu(ctx, h->out, &mtu, 0, 0);
	h->mtu = mtu;
	return mtu && size > mtu;
}

/*
 * The part of a TCP or UDP checksum that is there before the rest is filled in:
 * the sum of the pseudo header (RFC 9293 3.1, RFC 8200 8.1).
 */
INLINE __u16 pseudo_sum(const struct packet *packet)
{
	__u32 above = packet->length - packet->l4_offset;
	__u64 sum = checksum_word(bpf_htonl(above)) +
		    checksum_word(bpf_htonl(packet->protocol));
	int i;

	for (i = packet->is_ipv6 ? 0 : 3; i < 4; i++)
		sum += checksum_word(packet->source.w[i]) +
		       checksum_word(packet->destination.w[i]);
	return checksum_fold64(sum);
}

/*
 * Is the checksum of the packet in `parsed` still to be filled in? No helper
 * says so; but then it is that of the pseudo header alone. One complete one of
 * 65,536 is the same by chance: that packet's error is lost.
 */
SEPARATE int sum_is_unfilled(CONTEXT *ctx)
{
	struct packet *packet = handed_packet();
	__u16 sum = 0;

	if (!packet || packet->flags & (PACKET_FIRST | PACKET_LATER))
		return false;
	if (bpf_skb_load_bytes(
		    ctx,
		    (packet->l3_offset & 127) + (packet->l4_offset & 0x7fff) +
			    (packet->protocol == IPPROTO_UDP ? 6 : 16),
		    &sum, sizeof(sum)))
		return false;
	return sum == pseudo_sum(packet);
}

/*
 * Sets the checksum of an error whose quoted packet has none yet: the kernel
 * fills that in when the error leaves, over what is quoted. So these bytes are
 * not known, but their sum is. From TCP or UDP on they then add up to the
 * complement of the pseudo header's sum, which is `pseudo`; IPv4's header adds
 * up to zero.
 */
SEPARATE int sum_for_unfilled(CONTEXT *ctx, __u32 l3_offset, __u32 is_ipv6,
			      __u32 pseudo)
{
	void *end = (void *)(long)ctx->data_end;
	__u64 sum = (__u16)~pseudo;
	struct icmp_error_v4 *v4;
	struct icmp_error_v6 *v6;
	const __be32 *words;
	__sum16 *checksum;
	int i;

	if (l3_offset > L3_MOST)
		return -1;
	v4 = (void *)(long)ctx->data + l3_offset;
	v6 = (void *)v4;
	if (is_ipv6) {
		words = (const __be32 *)(v6 + 1);
		if ((void *)(words + 10) > end)
			return -1;
		for (i = 0; i < 10; i++)
			sum += checksum_word(words[i]);
		sum += icmp_error_pseudo(v6);
		words = (const __be32 *)&v6->type;
		checksum = &v6->checksum;
	} else {
		if ((void *)(v4 + 1) > end)
			return -1;
		words = (const __be32 *)&v4->type;
		checksum = &v4->checksum;
	}
	*checksum = 0;
	sum += checksum_word(words[0]) + checksum_word(words[1]);
	*checksum = (FORCE __sum16)(__u16)~checksum_fold64(sum);
	return 0;
}

/* The address that answers: the packet's destination, or for a VIP our own. */
INLINE const struct addr *nat_error_source(CONTEXT *ctx,
					   const struct nat_handed *h,
					   const struct packet *packet)
{
	const struct interface *in;

	if (h->is_reply)
		return &packet->destination;
	in = interface_of(link_device(ctx));
	return in ? &in->own[packet->is_ipv6 ? 1 : 0] : NULL;
}

/*
 * Turns the packet in `parsed` into the error about it, whose ends are in
 * `nat_handed` then; enum icmp_error_result.
 */
SEPARATE int nat_error(CONTEXT *ctx, __u32 what)
{
	struct packet *packet = handed_packet();
	struct nat_handed *h = nat_handed_over();
	const struct addr *own;
	__u32 pseudo;
	int result;

	if (!packet || !h || !icmp_error_is_allowed(packet, 0) ||
	    (what == ICMP_ERROR_TOO_BIG && !icmp_error_helps(packet)))
		return ICMP_ERROR_NONE;
	own = nat_error_source(ctx, h, packet);
	if (!own || !own->w[3])
		return ICMP_ERROR_NONE;
	if (!header_is_whole(ctx, packet->l3_offset, !!packet->is_ipv6))
		return ICMP_ERROR_DAMAGED;
	h->unfilled = sum_is_unfilled(ctx);
	if (h->unfilled && packet->is_ipv6 &&
	    packet->l4_offset != sizeof(struct ipv6hdr))
		return ICMP_ERROR_NONE;
	if (!may_send_icmp_error(what))
		return ICMP_ERROR_LIMITED;
	pseudo = pseudo_sum(packet);
	h->source = *own;
	h->destination = packet->source;
	h->source_port = h->port = 0;
	packet->destination = *own;
	result = nat_error_write(ctx, what, h->mtu);
	if (result == ICMP_ERROR_SENT && h->unfilled &&
	    sum_for_unfilled(ctx, packet->l3_offset, packet->is_ipv6, pseudo))
		return ICMP_ERROR_NONE;
	return result;
}
