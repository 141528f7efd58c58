/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.bpf.h - the method `rewrite`, at the load balancer
 * (common/core/rewrite.h)
 *
 * The default, with `checksum: keep`, is inlined in the data path: plain_*().
 * With `update`, and for errors, it is called as the other methods are.
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "common/core/rewrite.h"

INLINE bool is_plain(const struct method *method, const struct packet *packet)
{
	return method->forward == FORWARD_rewrite &&
	       method->checksum == CHECKSUM_KEEP && !packet->is_error;
}

/*
 * An error comes from a router, and may have to go back through that router,
 * which drops packets that claim to be from itself. So it is forwarded from the
 * load balancer's own address. `own`: IPv4's and IPv6's.
 */
INLINE void error_source(struct packet *packet, const struct addr *own)
{
	own += packet->is_ipv6 ? 1 : 0;
	if (packet->is_error && own->w[3])
		rewrite_error_source(packet, own);
}

/*
 * For the kernel to forward: addressed to the interface's own MAC address. The
 * packet may have come for that of a macvlan device (VRRP), which does not
 * forward, or has a strict rp_filter.
 */
INLINE void plain_hand_over(struct decision *d, const struct found *f)
{
	rewrite_destination(&d->packet, &f->backend->address);
	mac_copy(d->packet.eth->h_dest, f->in->own_mac);
}

INLINE void plain_forward(struct decision *d, const struct found *f)
{
	rewrite_hop(&d->packet, &f->backend->address);
	rewrite_macs(&d->packet, f->hop->destination, f->hop->source);
}

INLINE void rewrite_question(struct bpf_fib_lookup *question,
			     const struct handed *h,
			     const struct backend *backend)
{
	packet_question(question, h, backend, h->tos);
}

/* What the kernel would not do by itself when it forwards the packet. */
INLINE void rewrite_rest(struct way *way)
{
	const struct interface *in;
	const struct addr *own;

	if (way->reason != REASON_NONE) {
		in = interface_of(way->hop->in);
		if (in) /* see plain_hand_over() */
			mac_copy(way->packet.eth->h_dest, in->own_mac);
		return;
	}
	rewrite_ttl(&way->packet, way->packet.ttl - 1);
	own = way->packet.is_error ? way_own(way) : NULL;
	if (own)
		error_source(&way->packet, own);
	rewrite_macs(&way->packet, way->hop->destination, way->hop->source);
}

INLINE void rewrite_address(struct way *way)
{
	struct addr vip;

	if (way->method.checksum == CHECKSUM_UPDATE) {
		packet_destination(&vip, &way->packet);
		rewrite_checksum(&way->packet, &vip, &way->backend->address);
	}
	rewrite_destination(&way->packet, &way->backend->address);
}

INLINE enum reason rewrite_forward(struct way *way)
{
	rewrite_address(way);
	rewrite_rest(way);
	return way->reason;
}
