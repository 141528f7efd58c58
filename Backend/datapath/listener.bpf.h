/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * listener.bpf.h - `restore: tc`, TCP: the listener on this host's own address
 * accepts what comes for the VIP
 *
 *	xdp_bkd:       a SYN, restored  ->  is its listener known?  ->  note it
 *	bkd_listener:  who listens on VIP and port?  ->  the one that is noted
 *
 * Nothing is written into a packet. The kernel asks bkd_listener wherever it
 * looks for a listener (sk_lookup, Linux 5.9): for a SYN, for a SYN that comes
 * in TIME_WAIT, for the ACK of a SYN cookie, and when second chance asks. The
 * connection's own address is the VIP; from then on the kernel finds it itself.
 *
 * bkd_listener cannot look for a socket by an address: it needs it in a map.
 * So xdp_bkd notes it before the kernel gets the SYN, and no process has to
 * follow a server that starts again: a listener that is closed is removed from
 * the map by the kernel.
 */
#pragma once

#include "Backend/datapath/maps.bpf.h"
#include "Backend/datapath/restore.bpf.h"
#include "common/bpf/hand.h"
#include "common/core/address.h"
#include "common/core/verifier.h"

#define FAMILY_IPV4 2 /* AF_INET */

/* struct bpf_sock.state (enum in net/tcp_states.h) */
#define STATE_TIME_WAIT 6
#define STATE_LISTEN	10

/* Does this SYN need a listener on this host's own address? */
INLINE bool wants_listener(const struct restore *restore,
			   const struct packet *packet)
{
	return restore->at_own && packet->protocol == IPPROTO_TCP &&
	       packet->flags & PACKET_SYN;
}

/*
 * The socket that listens on this address, or NULL; to be released. Not one
 * that is bound to no address: the kernel finds that for the VIP, too.
 */
INLINE struct bpf_sock *listener_at(struct xdp_md *ctx, const struct addr *own,
				    __be16 port)
{
	struct bpf_sock_tuple ends = {};
	struct bpf_sock *socket;
	__u32 address;

	/* From nowhere, so that no connection is found. */
	if (addr_is_v4(own)) {
		ends.ipv4.daddr = own->w[3];
		ends.ipv4.dport = port;
		socket = bpf_sk_lookup_tcp(ctx, &ends, sizeof(ends.ipv4),
					   BPF_F_CURRENT_NETNS, 0);
	} else {
		__builtin_memcpy(ends.ipv6.daddr, own, sizeof(*own));
		ends.ipv6.dport = port;
		socket = bpf_sk_lookup_tcp(ctx, &ends, sizeof(ends.ipv6),
					   BPF_F_CURRENT_NETNS, 0);
	}
	if (!socket)
		return NULL;
	if (socket->state != STATE_LISTEN) {
		bpf_sk_release(socket);
		return NULL;
	}
	address = addr_is_v4(own)
			  ? socket->src_ip4
			  : socket->src_ip6[0] | socket->src_ip6[1] |
				    socket->src_ip6[2] | socket->src_ip6[3];
	if (address)
		return socket;
	bpf_sk_release(socket);
	return NULL;
}

/*
 * For the packet in `parsed`, restored by this row: notes its listener, if it
 * needs one. If that cannot be (the socket is MPTCP's or another one with a
 * protocol of its own above TCP), bkd_in gives the server its own address.
 */
SEPARATE int listener_note(struct xdp_md *ctx, int generation, int index)
{
	const struct packet *packet = handed_packet();
	const struct restores *rows = restores_at(generation);
	const struct restore_row *row;
	struct service_key key = {.protocol = IPPROTO_TCP};
	const struct addr *own;
	struct bpf_sock *socket;

	/* Without maps of sockets what follows is not even verified. */
	if (!constants.has_sockets || !packet || !rows)
		return 0;
	row = restore_at(rows, (__u32)index);
	if (!row || !wants_listener(&row->restore, packet))
		return 0;
	key.vip = row->restore.vip;
	key.port = packet->port;
	socket = bpf_map_lookup_elem(&listeners, &key);
	if (socket) {
		bpf_sk_release(socket);
		return 0;
	}
	key.port = row->key.port;
	own = bpf_map_lookup_elem(&servers, &key);
	if (!own)
		return 0;
	key.port = packet->port;
	socket = listener_at(ctx, own, key.port);
	if (!socket)
		return 0;
	bpf_map_update_elem(&listeners, &key, socket, BPF_ANY);
	bpf_sk_release(socket);
	return 0;
}

/* If another program has chosen a socket already, its choice stands. */
SEC("sk_lookup")
int bkd_listener(struct bpf_sk_lookup *ctx)
{
	struct service_key key = {.protocol = IPPROTO_TCP};
	struct bpf_sock *socket;
	__be32 ipv4;

	if (ctx->protocol != IPPROTO_TCP)
		return SK_PASS;
	key.port = bpf_htons((__u16)ctx->local_port);
	ipv4 = ctx->local_ip4;
	/* Or clang reads one field or the other by a pointer that it chose. */
	OPAQUE(ipv4);
	if (ctx->family == FAMILY_IPV4) {
		addr_set_v4(&key.vip, ipv4);
	} else {
		key.vip.w[0] = ctx->local_ip6[0];
		key.vip.w[1] = ctx->local_ip6[1];
		key.vip.w[2] = ctx->local_ip6[2];
		key.vip.w[3] = ctx->local_ip6[3];
	}
	socket = bpf_map_lookup_elem(&listeners, &key);
	if (!socket)
		return SK_PASS;
	bpf_sk_assign(ctx, socket, 0);
	bpf_sk_release(socket);
	return SK_PASS;
}
