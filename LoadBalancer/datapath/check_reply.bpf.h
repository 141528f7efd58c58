/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check_reply.bpf.h - the way back of a health check: into the network
 * namespace of `lbr run`
 *
 * The reply comes from the VIP to an address of this host, like any packet of
 * its own. The host's kernel has no socket for it, and if the VIP is an address
 * of this host, too, it would drop the reply as a martian. So xdp_lbr redirects
 * it before the kernel sees it: to one end of a veth, whose other end is in the
 * namespace.
 *
 * Only two kinds of packets are redirected: those from the VIP and port that a
 * check asks, to the address, port and protocol of its socket; and ICMP errors
 * about a packet that this socket sent. Everything else goes to the kernel.
 */
#pragma once

#include "LoadBalancer/datapath/vlan.bpf.h"
#include "common/bpf/dry.h"
#include "common/bpf/hand.h"
#include "common/core/check.h"
#include "common/core/verifier.h"

/* Does the packet or ICMP error in `parsed` belong to this check? */
INLINE bool check_reply_is_of(const struct check *check,
			      const struct packet *packet)
{
	return check->port == packet->source_port &&
	       addr_equal(&check->vip, &packet->source) &&
	       (!packet->is_error ||
		addr_equal(&packet->quoted, &packet->destination));
}

/* Is the packet in `parsed` the reply to a check? */
SEPARATE int check_reply_is(void)
{
	struct packet *packet = handed_packet();
	struct check_key key = {};
	struct check *check;

	if (!packet)
		return false;
	key.own = packet->destination;
	key.port = packet->port;
	key.protocol = packet->protocol;
	check = bpf_map_lookup_elem(&checks, &key);
	return check && check_reply_is_of(check, packet);
}

/*
 * Redirects it, without its VLAN tags. If that fails, or the veth is just gone,
 * the kernel drops it, because it is no longer as it came.
 */
SEPARATE int check_reply_send(struct xdp_md *ctx)
{
	static const __u8 mac[ETH_ALEN] = CHECK_MAC;
	struct packet *packet = handed_packet();
	struct ethhdr *eth = (void *)(long)ctx->data;
	__u8 source[ETH_ALEN];

	if (!packet || (void *)(eth + 1) > (void *)(long)ctx->data_end)
		return 0;
	mac_copy(source, eth->h_source);
	if (vlan_write(ctx, vlan_number(&packet->vlan), 0))
		return 0;
	eth = (void *)(long)ctx->data;
	if ((void *)(eth + 1) > (void *)(long)ctx->data_end)
		return 0;
	mac_copy(eth->h_dest, mac);
	mac_copy(eth->h_source, source);
	return (int)bpf_redirect_map(&check_veth, 0, 0);
}

/* If none do, this costs a packet for no VIP one array lookup. */
INLINE bool checks_run(void)
{
	__u32 zero = 0;

	return UNLIKELY(bpf_map_lookup_elem(&check_veth, &zero) != NULL);
}
