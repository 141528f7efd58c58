/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.bpf.h - the method `rewrite`, at the load balancer
 * (common/core/rewrite.h)
 *
 * With `checksum: update`, and in an error, more is rewritten: that is not
 * plain.
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"
#include "common/core/rewrite.h"

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

INLINE bool rewrite_plain(struct decision *d, const struct lookup *l)
{
	if (l->service->method.checksum != CHECKSUM_KEEP || d->packet.is_error)
		return false;
	rewrite_hop(&d->packet, &l->backend->address);
	rewrite_macs(&d->packet, l->hop->destination, l->hop->source);
	return true;
}

INLINE void rewrite_question(struct bpf_fib_lookup *question,
			     const struct handed *h,
			     const struct backend *backend)
{
	packet_question(question, h, backend, h->tos);
}

/* What the kernel would not do by itself when it forwards the packet. */
INLINE void rewrite_rest(struct forwarding *forwarding)
{
	const struct interface *in;
	const struct addr *own;

	/*
	 * For the kernel to forward: addressed to the interface's own MAC
	 * address. The packet may have come for that of a macvlan device
	 * (VRRP), which does not forward, or has a strict rp_filter.
	 */
	if (forwarding->reason != REASON_NONE) {
		in = interface_of(forwarding->hop->in);
		if (in)
			mac_copy(forwarding->packet.eth->h_dest, in->own_mac);
		return;
	}
	rewrite_ttl(&forwarding->packet, forwarding->packet.ttl - 1);
	own = forwarding->packet.is_error ? forwarding_own(forwarding) : NULL;
	if (own)
		error_source(&forwarding->packet, own);
	rewrite_macs(&forwarding->packet, forwarding->hop->destination,
		     forwarding->hop->source);
}

INLINE void rewrite_address(struct forwarding *forwarding)
{
	struct addr vip;

	if (forwarding->method.checksum == CHECKSUM_UPDATE) {
		packet_destination(&vip, &forwarding->packet);
		rewrite_checksum(&forwarding->packet, &vip,
				 &forwarding->backend->address);
	}
	rewrite_destination(&forwarding->packet, &forwarding->backend->address);
}

INLINE enum reason rewrite_forward(struct forwarding *forwarding)
{
	rewrite_address(forwarding);
	rewrite_rest(forwarding);
	return forwarding->reason;
}
