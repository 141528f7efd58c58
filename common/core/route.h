/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * route.h - the question to the kernel's FIB, and what its answers mean
 *
 * bpf_fib_lookup() routes as if the packet came in by `ifindex`. Source, type
 * of service, protocol and ports are all in the question, so that rules and
 * multipath routes decide as they do for the kernel's own packets.
 *
 * It writes its answer over the question: afterwards, ipv4_dst or ipv6_dst is
 * the gateway and no longer the backend.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/in.h>

#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"
#include "common/core/packet.h"
#include "common/core/tunnel.h"

#define ROUTE_AF_INET  2 /* <sys/socket.h> is not for BPF */
#define ROUTE_AF_INET6 10
#define FLOWINFO_BITS  bpf_htonl(0x0fffffff)

/*
 * The answers: BPF_FIB_LKUP_RET_* of the kernel, in its order. The last row is
 * for negative results of the helper (a question that it does not accept).
 */
/* clang-format off */
#define FIB_RESULTS(RESULT) \
	RESULT(SUCCESS, NONE) \
	RESULT(BLACKHOLE, fib_blackhole) \
	RESULT(UNREACHABLE, fib_unreachable) \
	RESULT(PROHIBIT, fib_prohibit) \
	RESULT(NOT_FWDED, fib_not_forwarded) \
	RESULT(FWD_DISABLED, fib_forwarding_disabled) \
	RESULT(UNSUPP_LWT, fib_unsupported) \
	RESULT(NO_NEIGH, neighbour_unresolved) \
	RESULT(FRAG_NEEDED, fib_too_big)
/* clang-format on */

/*
 * Fills in the question for a packet from `source` to `backend`, of one family.
 * The length is left out: the answer then has the MTU, and is true for packets
 * of any length. One of the two functions below fills in the rest.
 */
INLINE void route_question(struct bpf_fib_lookup *question,
			   const struct addr *source,
			   const struct addr *backend, __u32 ifindex)
{
	__builtin_memset(question, 0, sizeof(*question));
	question->ifindex = ifindex;
	if (addr_is_v4(backend)) {
		question->family = ROUTE_AF_INET;
		question->ipv4_src = source->w[3];
		question->ipv4_dst = backend->w[3];
	} else {
		question->family = ROUTE_AF_INET6;
		__builtin_memcpy(question->ipv6_src, source, 16);
		__builtin_memcpy(question->ipv6_dst, backend, 16);
	}
}

/*
 * The rest for `packet` itself. `tos`: IPv4's type of service, or the first
 * word of the IPv6 header. If the backend is of the other family, there is
 * none.
 */
INLINE void route_packet(struct bpf_fib_lookup *question,
			 const struct packet *packet, __u32 tos)
{
	question->l4_protocol = packet->protocol;
	question->sport = packet->source_port;
	question->dport = packet->port;
	if (packet->is_ipv6 != (question->family == ROUTE_AF_INET6))
		return;
	if (packet->is_ipv6)
		question->flowinfo = (FORCE __be32)tos & FLOWINFO_BITS;
	else
		question->tos = (__u8)tos;
}

/*
 * The rest for the outer header in front of `packet`; see tunnel.h. `label`:
 * IPv6's.
 */
INLINE void route_outer(struct bpf_fib_lookup *question,
			const struct packet *packet, __u32 tos, __u32 label)
{
	question->l4_protocol = tunnel_protocol(packet->is_ipv6);
	if (packet->is_ipv6)
		tos = bpf_ntohl((FORCE __be32)tos) >> 20 & 0xff;
	if (question->family == ROUTE_AF_INET)
		question->tos = (__u8)tos;
	else
		question->flowinfo = bpf_htonl(tos << 20 | label);
}

/*
 * The answer, from the struct that held the question; without the MTU, see
 * route_mtu().
 */
INLINE void route_answer(struct cached_hop *hop,
			 const struct bpf_fib_lookup *answer)
{
	hop->out = answer->ifindex;
	if (answer->family == ROUTE_AF_INET)
		addr_set_v4(&hop->via, answer->ipv4_dst);
	else
		addr_set_v6(&hop->via, (const __be32 *)answer->ipv6_dst);
	__builtin_memcpy(hop->destination, answer->dmac, ETH_ALEN);
	__builtin_memcpy(hop->source, answer->smac, ETH_ALEN);
}

/*
 * The MTU of the way out, bytes: that of the `device`, or what a locked route
 * says. `said` is the FIB's mtu_result; before Linux 5.12 it says none, and the
 * caller gives `locked`. It may be that of a PMTU exception, which any host
 * makes with one ICMP error to an address of ours, and which a Linux router
 * does not go by (ip_forward_use_pmtu). Where the route is locked, the kernel
 * does not look for one. `locked`: the least that a route of this host to that
 * backend is locked to, 0: none is.
 */
INLINE __u32 route_mtu(__u32 device, __u32 said, __u32 locked)
{
	if (!locked || !said || said >= device)
		return device;
	return said < locked ? locked : said;
}

/* What limits the size of a packet on its way; 0: no limit. */
struct route_limits {
	__u32 device;	/* MTU of the outgoing interface */
	__u32 link;	/* the same or less: route_mtu() */
	__u32 file;	/* the backend's `mtu:` */
	__u32 told;	/* reported by a router, see path_mtu */
	__u32 overhead; /* bytes that the method adds */
};

INLINE __u32 route_least(__u32 mtu, __u32 limit)
{
	return limit && limit < mtu ? limit : mtu;
}

/*
 * The largest packet that reaches the backend whole (mtu), and that the
 * outgoing link takes (link_mtu). For IPv6 never less than 1280, which every
 * sender may use and none may be told to go below (RFC 2473 7.1), unless the
 * interface itself takes less.
 */
INLINE void route_narrow(struct cached_hop *hop,
			 const struct route_limits *limits, int is_ipv6)
{
	__u32 mtu = route_least(route_least(limits->link, limits->file),
				limits->told) -
		    limits->overhead;

	hop->link_mtu = limits->link - limits->overhead;
	if (is_ipv6 && mtu < IPV6_LEAST)
		mtu = route_least(IPV6_LEAST,
				  limits->device - limits->overhead);
	hop->mtu = mtu;
}

/*
 * The cell of the answer for the way to a backend (its id), of what comes in by
 * `device` (ifindex); `flow`: 0, or which packets share it. By one device every
 * backend has a cell of its own; by several, the ranges of backends begin as
 * far apart as they can (Fibonacci hashing: 10125 is CACHED_HOPS / golden
 * ratio, odd), so that of two devices whose indexes differ by n, at least
 * CACHED_HOPS / 4n backends do not meet.
 */
INLINE __u32 route_cell(__u32 backend, __u32 device, __u64 flow)
{
	return (backend + device * 10125 + flow) % CACHED_HOPS;
}

INLINE enum reason route_reason(long result)
{
	switch (result) {
#define RESULT_REASON(name, reason)                                            \
	case BPF_FIB_LKUP_RET_##name:                                          \
		return REASON_##reason;
		FIB_RESULTS(RESULT_REASON)
#undef RESULT_REASON
	default:
		return REASON_fib_error;
	}
}
