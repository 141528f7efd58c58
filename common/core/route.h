/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * route.h - the question to the kernel's FIB, and what its answers mean
 *
 * bpf_fib_lookup() routes as if the packet came in by `ifindex`: source,
 * type of service, protocol and ports are all in the question, so rules and
 * multipath routes decide as they do for the kernel's own packets.
 *
 * It writes its answer over the question: behind it, ipv4_dst or ipv6_dst is
 * the gateway, no longer the backend.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/in.h>

#include "common/core/packet.h"

#define ROUTE_AF_INET  2 /* <sys/socket.h> is not for BPF */
#define ROUTE_AF_INET6 10
#define FLOWINFO_BITS  bpf_htonl(0x0fffffff)

/*
 * The answers. BPF_FIB_LKUP_RET_* of the kernel, in its order; the helper's
 * negative results (a question it does not accept) are the last row.
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
 * The question for `packet` on its way to `backend`. `length`: of the IP
 * packet on the wire in bytes, or 0 where that cannot be known.
 */
INLINE void route_question(struct bpf_fib_lookup *hop,
			   const struct packet *packet,
			   const struct addr *backend, __u32 ifindex,
			   __u32 length)
{
	__builtin_memset(hop, 0, sizeof(*hop));
	hop->ifindex = ifindex;
	hop->l4_protocol = packet->protocol;
	hop->sport = packet->source_port;
	hop->dport = packet->port;
	hop->tot_len = (__u16)length;
	if (packet->is_ipv6) {
		hop->family = ROUTE_AF_INET6;
		hop->flowinfo = *(__be32 *)packet->ipv6 & FLOWINFO_BITS;
		__builtin_memcpy(hop->ipv6_src, &packet->source, 16);
		__builtin_memcpy(hop->ipv6_dst, backend, 16);
	} else {
		hop->family = ROUTE_AF_INET;
		hop->tos = packet->ipv4->tos;
		hop->ipv4_src = packet->source.w[3];
		hop->ipv4_dst = backend->w[3];
	}
}

/*
 * The MTU of the way out, in bytes. Before 5.12 the helper does not say; then
 * it is taken for Ethernet's.
 */
INLINE __u32 route_mtu(const struct bpf_fib_lookup *hop)
{
	return hop->mtu_result ? hop->mtu_result : 1500;
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
