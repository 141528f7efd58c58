/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pass.bpf.h - packets for a VIP but for no backend: may the kernel have them?
 *
 * The router sends the VIP's packets here. A kernel without the VIP as an
 * address routes them, mostly back to that router: one packet then becomes as
 * many as its TTL. So the FIB is asked first where the kernel would send the
 * packet. If the VIP is an address of this host, the packet ends here: SSH,
 * replies to the host's own connections.
 *
 * The FIB is asked, and not only the tool, because a VIP may come and go
 * (keepalived) while no process of ours runs.
 *
 * In functions that the kernel verifies on their own: few packets come here.
 */
#pragma once

#include "LoadBalancer/datapath/service.bpf.h"
#include "common/bpf/hand.h"
#include "common/core/route.h"
#include "common/core/verifier.h"

#define LOOPBACK 1 /* ifindex of lo, in every network namespace */

/* What the kernel would do with a packet for a VIP. */
enum passed {
	PASSED_ON,   /* forwards it elsewhere, or refuses it */
	PASSED_HERE, /* delivers it: the VIP is an address of this host */
	PASSED_BACK, /* sends it out by the interface it came in by */
};

/*
 * The FIB gives the same answer for "no route" and "to this host". With a
 * default route, it can only be the second: a local route matched first.
 */
INLINE bool is_own(struct xdp_md *ctx, struct bpf_fib_lookup *question,
		   const struct packet *packet, __u32 device, long result)
{
	struct addr any = {};

	if (bpf_map_lookup_elem(&own_addresses, &packet->destination))
		return true;
	if (result != BPF_FIB_LKUP_RET_NOT_FWDED)
		return false;
	if (!packet->is_ipv6)
		addr_set_v4(&any, 0);
	route_question(question, &packet->source, &any, device);
	return bpf_fib_lookup(ctx, question, sizeof(*question), 0) !=
	       BPF_FIB_LKUP_RET_NOT_FWDED;
}

/*
 * What the kernel would do with the packet in `parsed`, which came in by
 * `device`. `mac`: only if the frame is for this address, because the kernel
 * does not forward others; 0: for any.
 */
SEPARATE int passed(struct xdp_md *ctx, __u32 device, __u64 mac)
{
	struct bpf_fib_lookup question;
	struct packet *packet = handed_packet();
	long result;

	if (!packet)
		return PASSED_ON;
	route_question(&question, &packet->source, &packet->destination,
		       device);
	question.l4_protocol = packet->protocol;
	question.sport = packet->source_port;
	question.dport = packet->port;
	result = bpf_fib_lookup(ctx, &question, sizeof(question), 0);
	switch (result) {
	case BPF_FIB_LKUP_RET_NOT_FWDED:
	case BPF_FIB_LKUP_RET_FWD_DISABLED:
		return is_own(ctx, &question, packet, device, result)
			       ? PASSED_HERE
			       : PASSED_ON;
	case BPF_FIB_LKUP_RET_NO_NEIGH:
	case BPF_FIB_LKUP_RET_UNSUPP_LWT:
		if (mac)
			return PASSED_ON;
		break;
	case BPF_FIB_LKUP_RET_SUCCESS:
		if (mac && mac_number(question.smac) != mac)
			return PASSED_ON;
		break;
	default:
		return PASSED_ON;
	}
	return question.ifindex == device || question.ifindex == LOOPBACK
		       ? PASSED_BACK
		       : PASSED_ON;
}

/*
 * The reason for the packet in `parsed`, which is for a VIP but, because of
 * `reason`, for none of its services.
 */
SEPARATE int unserved(struct xdp_md *ctx, __u32 device, __u32 unmatched,
		      __u32 reason)
{
	bool passes = unmatched == UNMATCHED_PASS && reason == REASON_unmatched;

	if (unmatched == UNMATCHED_DROP)
		return reason;
	switch (passed(ctx, device, 0)) {
	case PASSED_HERE:
		return REASON_local_passed;
	case PASSED_BACK:
		return passes ? REASON_would_loop : reason;
	default:
		return passes ? REASON_unmatched_passed : reason;
	}
}

/* The service has no backend; returns what it says for this case. */
INLINE enum reason no_backend(struct xdp_md *ctx, const struct decision *d,
			      const struct lookup *l)
{
	if (l->service->table_size || l->service->table_first != NO_TABLE_PASS)
		return REASON_no_backend;
	if (hand_packet(&d->packet) &&
	    passed(ctx, l->in->device, 0) == PASSED_BACK)
		return REASON_would_loop;
	return REASON_no_backend_passed;
}

/*
 * A frame for a MAC address that is not in the list; the packet is in `parsed`.
 * Usually the address is another host's, and the kernel ignores the frame. But
 * the list may be old and the address the device's own: then the kernel would
 * route it.
 */
SEPARATE int foreign(struct xdp_md *ctx, __u32 device, __u64 mac)
{
	__u32 zero = 0, index = generation_index();
	struct packet *packet = handed_packet();
	struct generation *generation =
		bpf_map_lookup_elem(&generations, &index);
	struct service_table table;
	struct interface *in;

	if (!packet || !generation)
		return REASON_foreign_mac;
	table = service_table_of(index, generation, packet);
	if (!is_vip(&table, packet, index))
		return REASON_foreign_mac;
	in = bpf_map_lookup_elem(&interfaces, &zero);
	if (!in || in->ifindex != device) {
		zero = interface_index(device, 0, 0);
		in = bpf_map_lookup_elem(&interfaces, &zero);
	}
	return passed(ctx, in ? in->device : device, mac) == PASSED_BACK
		       ? REASON_would_loop
		       : REASON_foreign_mac;
}

INLINE enum reason foreign_mac(struct xdp_md *ctx, struct decision *d,
			       __u32 device)
{
	enum reason reason = REASON_foreign_mac;

	/* Not for multicast: the kernel forwards none of that. */
	if (!(d->packet.eth->h_dest[0] & 1) && hand_packet(&d->packet))
		reason =
			foreign(ctx, device, mac_number(d->packet.eth->h_dest));
	return reason;
}
