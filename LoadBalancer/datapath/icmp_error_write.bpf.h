/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * icmp_error_write.bpf.h - turn a packet into the ICMP error about it (see
 * common/core/icmp_error.h)
 *
 * In functions of their own, which the kernel verifies separately.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "LoadBalancer/datapath/maps.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/dry.h"
#include "common/bpf/exit.h"
#include "common/bpf/hand.h"
#include "common/core/icmp_error.h"
#include "common/core/mark.h"
#include "common/core/verifier.h"

/*
 * Is the checksum of the IP header at `l3_offset` (bytes) right? IPv6 has none:
 * yes. A new header, around or in place of a damaged one, would have a good
 * checksum, so no hop would drop the packet, which may be for a wrong address.
 */
SEPARATE int header_is_whole(CONTEXT *ctx, __u32 l3_offset, __u32 is_ipv6)
{
	void *data = (void *)(long)ctx->data;

	if (is_ipv6)
		return true;
	return l3_offset <= L3_MOST &&
	       checksum_ipv4_is_right(data + l3_offset,
				      (void *)(long)ctx->data_end);
}

/*
 * The client's cell. Few clients share one, and no client can choose its cell.
 */
INLINE struct budget *icmp_error_share(const struct addr *client)
{
	__u32 zero = 0, cell;
	struct secrets *secret = bpf_map_lookup_elem(&secrets, &zero);

	if (!secret)
		return NULL;
	cell = siphash_tail(secret->icmp_error, mark_half(client, 0),
			    addr_is_v4(client) ? mark_half(client, 1) : 0, 0, 0,
			    0) %
	       ICMP_ERROR_SHARES;
	return bpf_map_lookup_elem(&icmp_shares, &cell);
}

/*
 * At most icmp_error_limit errors a second and CPU about expired TTLs. A client
 * that sends packets that are too big spends only the budget of its own cell,
 * so other clients get the answers that their connections need.
 */
SEPARATE int may_send_icmp_error(__u32 what)
{
	__u32 zero = 0, index = generation_index(), limit;
	struct packet *packet = handed_packet();
	struct budget *done = bpf_map_lookup_elem(&icmp_errors, &zero);
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	__u64 window, count;

	if (!packet || !generation || !generation->insert_window)
		return false;
	limit = generation->icmp_error_limit;
	if (what == ICMP_ERROR_TOO_BIG) {
		done = icmp_error_share(&packet->source);
		limit = (limit + ICMP_ERROR_PARTS - 1) / ICMP_ERROR_PARTS;
	}
	if (!done)
		return false;
	window = bpf_jiffies64() / generation->insert_window;
	count = done->window == window ? done->count : 0;
	EFFECT(done->window = window);
	EFFECT(done->count = count + 1);
	return count < limit;
}

/*
 * Rewrites the Ethernet header, back to the sender, with the same tags. If
 * there are fewer tags, the next header overwrites the rest.
 */
INLINE bool icmp_error_ethernet(void *data, void *end, __u32 head)
{
	struct ethhdr *to = data, *from = data + head;

	if ((void *)from + L2_MOST > end)
		return false;
	mac_copy(to->h_dest, from->h_source);
	mac_copy(to->h_source, from->h_dest);
	__builtin_memcpy(&to->h_proto, &from->h_proto, L2_MOST - 2 * ETH_ALEN);
	return true;
}

/* The sum of what follows `at`, less than a block. */
SEPARATE int icmp_error_rest(CONTEXT *ctx, __u32 at)
{
	if (at > L3_MOST + ICMP_ERROR_IPV6)
		return 0;
	return checksum_fold64(checksum_rest((void *)(long)ctx->data + at,
					     (void *)(long)ctx->data_end));
}

/*
 * The sum of what is above IP in the packet, for IPv6 with the pseudo header.
 */
SEPARATE int icmp_error_sum(CONTEXT *ctx, __u32 l3_offset, __u32 is_ipv6)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct icmp_error_v6 *v6;
	__u64 sum = 0;
	__u32 i, at;

	if (l3_offset > L3_MOST)
		return 0;
	v6 = data + l3_offset;
	if (is_ipv6) {
		if ((void *)(v6 + 1) > end)
			return 0;
		sum = icmp_error_pseudo(v6);
	}
	at = l3_offset +
	     (is_ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	KEEP_SUM(at);
	if (at > L3_MOST + sizeof(struct ipv6hdr))
		return 0;
	data += at;
	for (i = 0; i < ICMP_ERROR_IPV6 / CHECKSUM_BLOCK; i++) {
		if (data + CHECKSUM_BLOCK > end)
			break;
		sum += checksum_block(data);
		data += CHECKSUM_BLOCK;
	}
	sum += icmp_error_rest(ctx, at + i * CHECKSUM_BLOCK);
	return checksum_fold64(sum);
}

/* The headers in front of the quote; false: there is no room. */
INLINE bool icmp_error_headers(CONTEXT *ctx, const struct packet *packet,
			       enum icmp_error what, __u32 mtu, __u32 quote)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 at = packet->l3_offset, head = icmp_error_head(packet);
	struct icmp_error_v4 *v4;
	struct icmp_error_v6 *v6;

	if (at > L3_MOST || !icmp_error_ethernet(data, end, head))
		return false;
	v4 = data + at;
	v6 = data + at;
	if (packet->is_ipv6) {
		if ((void *)(v6 + 1) > end)
			return false;
		icmp_error_put_v6(v6, packet, what, mtu, quote);
	} else {
		if ((void *)(v4 + 1) > end)
			return false;
		icmp_error_put_v4(v4, packet, what, mtu, quote);
	}
	return true;
}

INLINE void icmp_error_checksum(CONTEXT *ctx, __u32 at, bool is_ipv6)
{
	__u16 sum = (__u16)~icmp_error_sum(ctx, at, is_ipv6);
	void *end = (void *)(long)ctx->data_end;
	__sum16 *checksum;

	if (at > L3_MOST)
		return;
	checksum = (void *)(long)ctx->data + at +
		   (is_ipv6 ? offsetof(struct icmp_error_v6, checksum)
			    : offsetof(struct icmp_error_v4, checksum));
	if ((void *)(checksum + 1) <= end)
		*checksum = (FORCE __sum16)sum;
}

/* What has become of the packet. */
enum icmp_error_result {
	ICMP_ERROR_NONE, /* nothing is written */
	ICMP_ERROR_LIMITED,
	ICMP_ERROR_DAMAGED, /* only the packet's header was changed */
	ICMP_ERROR_SENT,
};

/* How many bytes of the packet are quoted. */
INLINE __u32 icmp_error_cut(CONTEXT *ctx, const struct packet *packet)
{
	return icmp_error_quote(packet, (__u32)(ctx->data_end - ctx->data) -
						packet->l3_offset);
}

/*
 * Writes the error in front of the packet, which was cut and has room there.
 * Its destination is the address that answers. Returns enum icmp_error_result.
 */
INLINE int icmp_error_put(CONTEXT *ctx, const struct packet *packet,
			  enum icmp_error what, __u32 mtu, __u32 quote)
{
	if (!icmp_error_headers(ctx, packet, what, mtu, quote))
		return ICMP_ERROR_NONE;
	icmp_error_checksum(ctx, packet->l3_offset, packet->is_ipv6);
	return ICMP_ERROR_SENT;
}

/* The reason for which such a packet leaves. */
INLINE enum reason icmp_error_reason(int result, enum icmp_error what)
{
	bool exceeded = what == ICMP_ERROR_EXCEEDED;

	switch (result) {
	case ICMP_ERROR_SENT:
		return exceeded ? REASON_ttl_answered : REASON_too_big_answered;
	case ICMP_ERROR_LIMITED:
		return REASON_icmp_error_limited;
	case ICMP_ERROR_DAMAGED:
		return REASON_malformed_vip;
	default:
		return exceeded ? REASON_ttl_exceeded : REASON_fib_too_big;
	}
}
