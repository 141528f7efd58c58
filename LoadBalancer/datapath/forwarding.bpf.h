/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forwarding.bpf.h - what a method is given at the load balancer, and what it
 * says of packets that it cannot send
 *
 * The file of a method NAME has three functions:
 *
 *	void NAME_question(struct bpf_fib_lookup *, const struct handed *,
 *			   const struct backend *)
 *
 * fills in what the FIB is asked: for the packet as it is going to leave.
 *
 *	bool NAME_plain(struct decision *, const struct lookup *)
 *
 * makes the packet ready to be sent, in the program itself, for nothing can
 * fail any more. False: it has done nothing, and leaves it to the next one. The
 * kernel need not send the packet, and its VLAN tags stay.
 *
 *	enum reason NAME_forward(struct forwarding *)
 *
 * makes it that packet, after everything that may fail. REASON_NONE: it is
 * ready to be sent. If forwarding->reason says that the kernel has to send it,
 * it returns that, for a packet that the kernel can forward. A method whose
 * packets the kernel cannot forward asks method_waits(), and returns
 * method_stays() if the packet does not.
 */
#pragma once

#include "LoadBalancer/datapath/waiting.bpf.h"
#include "common/bpf/exit.h"
#include "common/core/rewrite.h"
#include "common/core/route.h"
#include "common/core/verifier.h"

/*
 * Is the kernel to send the packet to the backend? Three bits of a word: the
 * verifier would follow each comparison.
 */
INLINE bool kernel_forwards(enum reason reason)
{
	const __u64 reasons = 1ULL << REASON_neighbour_unresolved |
			      1ULL << REASON_super_packet |
			      1ULL << REASON_device_passed;

	return reasons >> (reason & 63) & is_less(reason, 64);
}
_Static_assert(REASON_neighbour_unresolved < 64 && REASON_super_packet < 64 &&
		       REASON_device_passed < 64,
	       "kernel_forwards()");

/* The reason of a method by which the kernel cannot forward. */
INLINE enum reason method_stays(enum reason reason)
{
	switch (reason) {
	case REASON_neighbour_unresolved:
		return REASON_neighbour_missing;
	case REASON_device_passed:
		return REASON_device_unfit;
	default:
		return REASON_fib_too_big;
	}
}

/* What a method is given. */
struct forwarding {
	struct xdp_md *ctx;
	const struct backend *backend;
	const struct cached_hop *hop;
	struct packet packet; /* what union forwarding_* has of it, and its
				 pointers */
	struct method method;
	enum reason reason; /* why the kernel has to forward it, or none */
	__u32 generation_index;
	__u64 hash;
};

/*
 * Can lbr_waiting send it? The method makes the packet as if it were to be
 * sent, and ends with method_macs(). The kernel has no way to send an IPv6
 * packet to the MAC address of an IPv4 one's next hop.
 */
INLINE bool method_waits(const struct forwarding *forwarding, bool is_ipv6)
{
	return forwarding->reason == REASON_neighbour_unresolved &&
	       control[CONTROL_WAITING] &&
	       !(is_ipv6 && addr_is_v4(&forwarding->hop->via));
}

/* The last step: the next hop's MAC addresses, or those by which it waits. */
INLINE enum reason method_macs(struct forwarding *forwarding)
{
	struct waiting waiting;

	if (forwarding->reason == REASON_NONE) {
		rewrite_macs(&forwarding->packet, forwarding->hop->destination,
			     forwarding->hop->source);
		return REASON_NONE;
	}
	waiting_write(&waiting, waiting_secret(), forwarding->backend->id);
	rewrite_macs(&forwarding->packet, waiting.destination,
		     waiting.destination + ETH_ALEN);
	return forwarding->reason;
}

/*
 * The load balancer's own addresses at the incoming interface: IPv4's and
 * IPv6's.
 */
INLINE const struct addr *forwarding_own(const struct forwarding *forwarding)
{
	const struct interface *in = interface_of(forwarding->hop->in);

	return in ? in->own : NULL;
}

/*
 * The question for the client's packet, with the backend's address written over
 * the VIP. To a backend of the other family: from this host's address. `tos`:
 * see route_packet().
 */
INLINE void packet_question(struct bpf_fib_lookup *question,
			    const struct handed *h,
			    const struct backend *backend, __u32 tos)
{
	bool is_ipv6 = !addr_is_v4(&backend->address);
	const struct decision *d = &h->decision;
	const struct addr *source = is_ipv6 == !!d->packet.is_ipv6
					    ? &d->packet.source
					    : &h->own[is_ipv6];

	route_question(question, source, &backend->address, h->device);
	route_packet(question, &d->packet, tos);
}
