/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * translate.bpf.h - write the new ends that were decided for a packet
 */
#pragma once

#ifndef CONTEXT
#define CONTEXT struct __sk_buff
#endif

#include "LoadBalancer/datapath/nat_maps.bpf.h"
#include "common/bpf/ends.h"
#include "common/bpf/hand.h"

/* The new ones. */
INLINE void ends_after(struct ends *to, const struct nat_handed *h)
{
	to->address[0] = h->source;
	to->address[1] = h->destination;
	to->port[0] = h->source_port;
	to->port[1] = h->port;
}

/*
 * Translates the ICMP error in `parsed`, whose source becomes the load
 * balancer's. 0, or not: it could not be written, and is to be dropped.
 */
SEPARATE int translate_error(CONTEXT *ctx)
{
	struct packet *packet = handed_packet();
	struct nat_handed *h = nat_handed_over();
	struct ends from, to, turned;
	struct inside inside;
	__u32 l3, icmp;
	bool is_ipv6;
	long wrong;

	if (!packet || !h)
		return -1;
	is_ipv6 = packet->is_ipv6;
	l3 = packet->l3_offset & 127;
	icmp = l3 + (packet->l4_offset & 0x7fff);
	if (!inside_find(ctx, icmp, is_ipv6, &inside))
		return -1;
	ends_before(&from, packet, &packet->quoted);
	ends_turn(&turned, &from);
	ends_after(&to, h);
	ends_turn(&from, &to);
	wrong = inside_write(ctx, icmp, is_ipv6, &inside, &turned, &from);
	/* Outside: from whoever sent it, to the VIP or source. */
	if (outside_source(ctx, l3, is_ipv6, &turned.address[0]))
		return -1;
	turned.address[1] = packet->destination;
	wrong |= outside_write(ctx, l3, icmp, is_ipv6, &turned, &to);
	return wrong ? -1 : (int)hop_write(ctx, l3, is_ipv6, packet->ttl);
}

/* Translates the packet in `parsed`. As above. */
SEPARATE int translate(CONTEXT *ctx)
{
	struct packet *packet = handed_packet();
	struct nat_handed *h = nat_handed_over();
	struct ends from, to;

	if (!packet || !h)
		return -1;
	ends_before(&from, packet, &packet->destination);
	ends_after(&to, h);
	if (packet_write(ctx, packet, &from, &to))
		return -1;
	return (int)hop_write(ctx, packet->l3_offset & 127, packet->is_ipv6,
			      packet->ttl);
}
