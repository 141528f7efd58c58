/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rewrite.bpf.h - the method `rewrite`, on its way out (common/core/rewrite.h)
 *
 * As it is by default, with `checksum: keep`, it is the data path's straight
 * line: plain_*(). With `update`, and for errors, it takes the way of the other
 * methods.
 */
#pragma once

INLINE bool is_plain(const struct method *method, const struct packet *packet)
{
	return method->forward == FORWARD_REWRITE &&
	       method->checksum == CHECKSUM_KEEP && !packet->is_error;
}

/*
 * An error comes from a router, and may have to go back through that router,
 * which takes nothing that claims to be from itself. So it is sent on from the
 * load balancer's own address. `own`: IPv4's and IPv6's.
 */
INLINE void error_source(struct packet *packet, const struct addr *own)
{
	own += packet->is_ipv6 ? 1 : 0;
	if (packet->is_error && own->w[3])
		rewrite_error_source(packet, own);
}

/*
 * For the kernel to forward; as the interface's own. It came for another MAC
 * address where a macvlan device stands on the interface (VRRP), and that does
 * not forward, or asks for the way back to lead by itself.
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

/* What the kernel would not do, too, where it is to forward the packet. */
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
