// SPDX-License-Identifier: GPL-2.0-only
/*
 * own_address.bpf.c - `restore: tc`, where the kernel here has no socket for
 * the VIP: the server gets its own address
 *
 *	bkd_in:   for a VIP      ->  no socket here?   ->  write own address
 *	bkd_out:  from a server  ->  a reply to that?  ->  write the VIP
 *
 * So it is with UDP, whose replies would come from the own address, and with a
 * server in another network namespace, to which this host forwards. TCP with a
 * listener here needs neither: see listener.bpf.h.
 *
 * Attached where the kernel takes packets from an interface, behind xdp_bkd,
 * and where it sends them (clsact): there the kernel says whether a checksum is
 * still to be filled in, which no XDP program can know.
 */
#define CONTEXT struct __sk_buff
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "Backend/datapath/maps.bpf.h"
#include "common/bpf/context.h"
#include "common/bpf/ends.h"
#include "common/bpf/hand.h"
#include "common/bpf/link.h"
#include "common/bpf/parse.h"
#include "common/core/verifier.h"

char LICENSE[] SEC("license") = "GPL";

/* A flow that got the own address, as replies say it. */
struct own_flow {
	struct addr client;
	struct addr own;
	__be16 client_port;
	__be16 port;
	__u8 protocol;
	__u8 zero[3];
};
_Static_assert(sizeof(struct own_flow) == 40, "own_flow");

/* ... and its VIP. The one that was used longest ago makes room. */
MAP(own_flows, LRU_HASH, struct own_flow, struct addr, 131072);

/* What is written over the VIP, or over the own address: [0]. */
MAP(written, PERCPU_ARRAY, __u32, struct addr, 1);

/* For parse.h: of all that this host gets and sends. */
SEPARATE int fragment_is_wanted(CONTEXT *ctx)
{
	return ctx->len != 0;
}

/* The row of this address, port and protocol; else of any port. */
INLINE const struct addr *row_of(void *map, const struct addr *address,
				 __be16 port, __u8 protocol)
{
	struct service_key key = {
		.vip = *address, .port = port, .protocol = protocol};
	const struct addr *row = bpf_map_lookup_elem(map, &key);

	if (row)
		return row;
	key.port = 0;
	return bpf_map_lookup_elem(map, &key);
}

/* The ends of the packet in `parsed`, as it came. Returns their size. */
INLINE __u32 ends_of(const struct packet *packet, struct bpf_sock_tuple *ends)
{
	const struct addr *vip =
		packet->is_error ? &packet->quoted : &packet->destination;

	if (packet->is_ipv6) {
		__builtin_memcpy(ends->ipv6.saddr, &packet->source, 16);
		__builtin_memcpy(ends->ipv6.daddr, vip, 16);
		ends->ipv6.sport = packet->source_port;
		ends->ipv6.dport = packet->port;
		return sizeof(ends->ipv6);
	}
	ends->ipv4.saddr = packet->source.w[3];
	ends->ipv4.daddr = vip->w[3];
	ends->ipv4.sport = packet->source_port;
	ends->ipv4.dport = packet->port;
	return sizeof(ends->ipv4);
}

/*
 * Does the kernel give the packet in `parsed` to a TCP socket of this network
 * namespace, as it is? The kernel asks bkd_listener, too.
 */
SEPARATE int has_tcp_socket(CONTEXT *ctx)
{
	const struct packet *packet = handed_packet();
	struct bpf_sock_tuple ends = {};
	struct bpf_sock *socket;

	if (!packet)
		return false;
	if (ends_of(packet, &ends) == sizeof(ends.ipv6))
		socket = bpf_skc_lookup_tcp(ctx, &ends, sizeof(ends.ipv6),
					    BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_skc_lookup_tcp(ctx, &ends, sizeof(ends.ipv4),
					    BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	bpf_sk_release(socket);
	return true;
}

/*
 * The same of UDP. A socket that is bound to no address would get it, too, but
 * answers from the own address.
 */
SEPARATE int has_udp_socket(CONTEXT *ctx)
{
	const struct packet *packet = handed_packet();
	struct bpf_sock_tuple ends = {};
	struct bpf_sock *socket;
	__u32 address;

	if (!packet)
		return false;
	if (ends_of(packet, &ends) == sizeof(ends.ipv6))
		socket = bpf_sk_lookup_udp(ctx, &ends, sizeof(ends.ipv6),
					   BPF_F_CURRENT_NETNS, 0);
	else
		socket = bpf_sk_lookup_udp(ctx, &ends, sizeof(ends.ipv4),
					   BPF_F_CURRENT_NETNS, 0);
	if (!socket)
		return false;
	address = socket->src_ip4;
	if (packet->is_ipv6)
		address = socket->src_ip6[0] | socket->src_ip6[1] |
			  socket->src_ip6[2] | socket->src_ip6[3];
	bpf_sk_release(socket);
	return address != 0;
}

/* Notes that replies of the packet in `parsed` are to get the VIP again. */
INLINE void flow_note(const struct packet *packet, const struct addr *vip,
		      const struct addr *own)
{
	struct own_flow flow = {.client = packet->source,
				.own = *own,
				.client_port = packet->source_port,
				.port = packet->port,
				.protocol = packet->protocol};
	const struct addr *is = bpf_map_lookup_elem(&own_flows, &flow);

	if (!is || !addr_equal(is, vip))
		bpf_map_update_elem(&own_flows, &flow, vip, BPF_ANY);
}

/* Is the packet in `parsed` to get the own address? It is left in `written`. */
SEPARATE int own_for_vip(CONTEXT *ctx)
{
	const struct packet *packet = handed_packet();
	const struct addr *own, *vip;
	__u32 zero = 0;
	struct addr *to = bpf_map_lookup_elem(&written, &zero);

	if (!packet || !to)
		return false;
	vip = packet->is_error ? &packet->quoted : &packet->destination;
	if (!addr_equal(vip, &packet->destination))
		return false;
	own = row_of(&servers, vip, packet->port, packet->protocol);
	if (!own || (packet->protocol == IPPROTO_TCP ? has_tcp_socket(ctx)
						     : has_udp_socket(ctx)))
		return false;
	*to = *own;
	if (!row_of(&server_vips, own, packet->port, packet->protocol))
		flow_note(packet, vip, own);
	return true;
}

/* ... a VIP? By its method, every packet of the server, else by its flow. */
SEPARATE int vip_for_own(void)
{
	const struct packet *packet = handed_packet();
	struct own_flow flow = {};
	const struct addr *vip;
	__u32 zero = 0;
	struct addr *to = bpf_map_lookup_elem(&written, &zero);

	if (!packet || !to)
		return false;
	vip = row_of(&server_vips, &packet->source, packet->source_port,
		     packet->protocol);
	if (!vip) {
		flow.client =
			packet->is_error ? packet->quoted : packet->destination;
		flow.own = packet->source;
		flow.client_port = packet->port;
		flow.port = packet->source_port;
		flow.protocol = packet->protocol;
		vip = bpf_map_lookup_elem(&own_flows, &flow);
	}
	if (!vip)
		return false;
	*to = *vip;
	return true;
}

/*
 * Writes `written` into the packet in `parsed`, over its source (`at` 0) or
 * destination (1). 0, or not: it could not be written, and is to be dropped.
 */
SEPARATE int address_write(CONTEXT *ctx, __u32 at)
{
	const struct packet *packet = handed_packet();
	__u32 zero = 0;
	const struct addr *address = bpf_map_lookup_elem(&written, &zero);
	struct ends from, to;

	if (!packet || !address)
		return -1;
	ends_before(&from, packet, &packet->destination);
	to = from;
	to.address[at & 1] = *address;
	return packet_write(ctx, packet, &from, &to) ? -1 : 0;
}

/*
 * The same of an ICMP error: in the packet that it quotes, which went the other
 * way, and outside, where the error itself is for the VIP or from the server.
 */
SEPARATE int error_write(CONTEXT *ctx, __u32 at)
{
	const struct packet *packet = handed_packet();
	__u32 zero = 0;
	const struct addr *address = bpf_map_lookup_elem(&written, &zero);
	struct ends from, to, turned;
	struct inside inside;
	__u32 l3, icmp;
	bool is_ipv6;
	long wrong;

	if (!packet || !address)
		return -1;
	is_ipv6 = packet->is_ipv6;
	l3 = packet->l3_offset & 127;
	icmp = l3 + (packet->l4_offset & 0x7fff);
	if (!inside_find(ctx, icmp, is_ipv6, &inside))
		return -1;
	ends_before(&to, packet, &packet->quoted);
	ends_turn(&from, &to);
	to.address[at & 1] = *address;
	ends_turn(&turned, &to);
	wrong = inside_write(ctx, icmp, is_ipv6, &inside, &from, &turned);
	if (outside_source(ctx, l3, is_ipv6, &from.address[0]))
		return -1;
	from.address[1] = packet->destination;
	to = from;
	/* From another address of this host, it stays so. */
	if (at || addr_equal(&from.address[0], &packet->source))
		to.address[at & 1] = *address;
	wrong |= outside_write(ctx, l3, icmp, is_ipv6, &from, &to);
	return wrong ? -1 : 0;
}

/* Of TCP or UDP, or an error about such a packet? It is left in `parsed`. */
INLINE bool is_of_flow(CONTEXT *ctx, const struct packet *packet)
{
	return link_parse(ctx, !link_is_missing(ctx)) == REASON_NONE &&
	       (packet->protocol == IPPROTO_TCP ||
		packet->protocol == IPPROTO_UDP);
}

INLINE int verdict(CONTEXT *ctx, const struct packet *packet, __u32 at)
{
	int wrong = packet->is_error ? error_write(ctx, at)
				     : address_write(ctx, at);

	return wrong ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int bkd_in(struct __sk_buff *ctx)
{
	const struct packet *packet = handed_packet();

	if (!packet || !is_of_flow(ctx, packet) || !own_for_vip(ctx))
		return TC_ACT_UNSPEC;
	return verdict(ctx, packet, 1);
}

SEC("tc")
int bkd_out(struct __sk_buff *ctx)
{
	const struct packet *packet = handed_packet();

	if (!packet || !is_of_flow(ctx, packet) || !vip_for_own())
		return TC_ACT_UNSPEC;
	return verdict(ctx, packet, 0);
}
