/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * quote.h - an ICMP error, and the flow it is about
 *
 * A router on the way from the server to the client sends errors to the
 * packet's source: the VIP. An error (too big, unreachable) is for the one
 * backend that sent the packet. It quotes the packet from its IP header on; of
 * what is above IP, only 8 bytes need be there (RFC 792), with the ports among
 * them. The quoted packet is a reply, so its ends are those of the flow,
 * exchanged.
 *
 * packet_quote() gives the error the flow's ends and protocol in place of its
 * own: it is then selected, routed and counted as the flow is. Only the error's
 * own header is changed. An error that cannot be read stays an ICMP packet
 * without ports, for no service.
 */
#pragma once

#include "common/core/packet.h"
#include "common/core/packet_parse.h"

/* The part of a quoted L4 header that is surely there. */
struct quoted_ports {
	__be16 source;
	__be16 destination;
	__be32 rest;
};

/* The quoted IP header, as a packet of its own. */
INLINE enum reason quote_ip(struct packet *quoted, int is_ipv6, void *end)
{
	enum reason reason;

	if (!is_ipv6) {
		reason = parse_ipv4_header(quoted, end);
		if (reason != REASON_fragment)
			return reason;
		parse_ipv4_fragment(quoted);
		return REASON_NONE;
	}
	reason = parse_ipv6(quoted, end);
	return reason == REASON_NONE ? parse_ipv6_headers(quoted, end) : reason;
}

/*
 * The quoted packet at `l3`, as it was sent: its ends and protocol. Returns
 * where its ports lie, or NULL if it cannot be read or has none.
 */
INLINE struct quoted_ports *quote_flow(struct packet *quoted, void *l3,
				       int is_ipv6, void *end)
{
	struct quoted_ports *ports;
	__u32 at;

	__builtin_memset(quoted, 0, sizeof(*quoted));
	quoted->l3 = l3;
	if (quote_ip(quoted, is_ipv6, end) != REASON_NONE)
		return 0;
	/* A later fragment has no ports. */
	if (quoted->flags & PACKET_LATER)
		return 0;
	if (quoted->protocol != IPPROTO_TCP && quoted->protocol != IPPROTO_UDP)
		return 0;
	/* However many headers there were, what follows is verified once. */
	at = forget_word(quoted->l4_offset);
	if (at > L4_MOST)
		return 0;
	quoted->l4_offset = at;
	ports = quoted->l3 + at;
	if ((void *)(ports + 1) > end)
		return 0;
	return ports;
}

/* `l4`: where the error's ICMP header lies, as in packet->l4. */
INLINE void packet_quote(struct packet *packet, void *l4, void *end)
{
	struct packet quoted;
	struct quoted_ports *ports = quote_flow(
		&quoted, l4 + sizeof(struct icmp), packet->is_ipv6, end);

	/* No router has such an address. */
	if (packet->is_martian)
		return;
	if (!ports || packet->l4_offset + sizeof(struct icmp) +
				      quoted.l4_offset + sizeof(*ports) >
			      packet->length)
		return;
	packet->quoted = quoted.source;
	packet->source = quoted.destination;
	packet->source_port = ports->destination;
	packet->port = ports->source;
	packet->protocol = quoted.protocol;
	packet->is_error = 1;
}
