/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * method.h - the forwarding methods: how a packet reaches the backend
 *
 * A method is a row here, and a file NAME.bpf.h at each end, in
 * LoadBalancer/datapath/methods/ and Backend/datapath/methods/. All other code
 * asks for a column, by the functions below, and never for a method by name.
 * The first row is the default of the key `forward`.
 *
 * METHOD(name, restored_by, ipv4, ipv6, traits, explanation)
 *
 * restored_by: of enum restored_by, without its prefix.
 * ipv4, ipv6: bytes put in front of a packet to an IPv4 backend, and to an IPv6
 * one. 0, unless restored_by is INNER.
 * traits: of enum method_trait.
 */
#pragma once

#include "common/core/address.h"

/* clang-format off */
#define METHODS(METHOD) \
METHOD(rewrite, ADDRESS, 0, 0, METHOD_ROUTED | METHOD_KERNEL, \
	"the backend's address is written over the VIP, the backend writes the VIP back") \
METHOD(dscp, MARK, 0, 0, METHOD_ROUTED | METHOD_KERNEL, \
	"the same, and the packet's DSCP says which VIP (the L3DSR of Yahoo)") \
METHOD(ipip, INNER, 20, 40, METHOD_ROUTED | METHOD_CROSSES, \
	"in another IP header, to the backend's address; the VIP stays inside") \
METHOD(l2, VIP, 0, 0, METHOD_CROSSES, \
	"to the backend's MAC address alone, on the same segment; the VIP stays") \
METHOD(nat, NOTHING, 0, 0, METHOD_ROUTED | METHOD_RETURNS, \
	"from an address of the load balancer, to which the reply comes back; nothing to install on the backend")
/* clang-format on */

enum forward {
#define METHOD_NUMBER(name, ...) FORWARD_##name,
	METHODS(METHOD_NUMBER)
#undef METHOD_NUMBER
		FORWARDS,
};

/*
 * What tells a backend which VIP a packet is for, besides protocol and port.
 * ADDRESS and MARK: the backend's address is written over the VIP, so one of
 * the two has to say it. A service has the key `dscp` if its method is restored
 * by MARK, and can have `checksum: update` if by ADDRESS or MARK.
 */
enum restored_by {
	RESTORED_BY_ADDRESS, /* the backend's address: it stands for one VIP */
	RESTORED_BY_MARK,    /* that and the packet's DSCP */
	RESTORED_BY_INNER,   /* the destination of the packet inside, which is
				taken out if it comes from `lb-sources` */
	RESTORED_BY_VIP,     /* the destination */
	RESTORED_BY_NOTHING, /* the backend has nothing to restore */
};

enum method_trait {
	/* Routers forward the packet to the backend. */
	METHOD_ROUTED = 1,
	/*
	 * So does this host's kernel, if it is handed the packet as the method
	 * leaves it.
	 */
	METHOD_KERNEL = 2,
	/* The backend's address may be of another family than the VIP. */
	METHOD_CROSSES = 4,
	/* Replies come back to the load balancer, which sends them on. */
	METHOD_RETURNS = 8,
};

/* The TCP or UDP checksum, where one address is written over another. */
enum checksum {
	CHECKSUM_KEEP,	 /* stays that of the VIP */
	CHECKSUM_UPDATE, /* is true on the wire */
};

/* What is done to a service's packets, and undone at the backend. */
struct method {
	__u8 forward;  /* enum forward */
	__u8 checksum; /* enum checksum */
	__u8 dscp;     /* if it is restored by MARK: the value, else 0 */
};
_Static_assert(sizeof(struct method) == 3, "method");

/*
 * A column as a word with four bits for each method: in the programs, a shift
 * instead of a look-up or of branches. A number that is no method's has 0.
 */
#define METHOD_BITS 4
_Static_assert(METHOD_BITS *FORWARDS <= 64, "a word holds a column");

INLINE __u32 method_column(const struct method *method, __u64 column)
{
	if (method->forward >= FORWARDS)
		return 0;
	return column >> METHOD_BITS * method->forward & 15;
}

INLINE enum restored_by method_restored_by(const struct method *method)
{
#define METHOD_RESTORED(name, by, ...)                                         \
	| (__u64)RESTORED_BY_##by << METHOD_BITS * FORWARD_##name
	return method_column(method, 0 METHODS(METHOD_RESTORED));
#undef METHOD_RESTORED
}

INLINE __u32 method_traits(const struct method *method)
{
#define METHOD_TRAITS(name, by, ipv4, ipv6, traits, ...)                       \
	| (__u64)(traits) << METHOD_BITS * FORWARD_##name
	return method_column(method, 0 METHODS(METHOD_TRAITS));
#undef METHOD_TRAITS
}

INLINE int method_is_routed(const struct method *method)
{
	return method_traits(method) & METHOD_ROUTED;
}

INLINE int method_is_for_kernel(const struct method *method)
{
	return method_traits(method) & METHOD_KERNEL;
}

INLINE int method_crosses(const struct method *method)
{
	return method_traits(method) & METHOD_CROSSES;
}

/* Do replies pass the load balancer? */
INLINE int method_returns(const struct method *method)
{
	return method_traits(method) & METHOD_RETURNS;
}

/* Does the backend find the VIP by its own address alone? */
INLINE int method_is_by_address(const struct method *method)
{
	return method_restored_by(method) == RESTORED_BY_ADDRESS;
}

/* Has the service the key `dscp`? */
INLINE int method_is_by_mark(const struct method *method)
{
	return method_restored_by(method) == RESTORED_BY_MARK;
}

/* Has the backend something to do? */
INLINE int method_is_restored(const struct method *method)
{
	return method_restored_by(method) != RESTORED_BY_NOTHING;
}

/* Is the packet sent inside another one? */
INLINE int method_encapsulates(const struct method *method)
{
	return method_restored_by(method) == RESTORED_BY_INNER;
}

/* Is the backend's address written over the VIP? */
INLINE int method_overwrites_vip(const struct method *method)
{
	return method_is_by_address(method) || method_is_by_mark(method);
}

/* Does the packet itself say its VIP when it reaches the backend? */
INLINE int method_keeps_vip(const struct method *method)
{
	return method_restored_by(method) == RESTORED_BY_INNER ||
	       method_restored_by(method) == RESTORED_BY_VIP;
}

/* Are packets for the backend's own address told from those for the VIP? */
INLINE int method_is_told_apart(const struct method *method)
{
	return method_is_by_mark(method) || method_keeps_vip(method);
}

/* Bytes that the method adds to a packet on its way to `backend`. */
INLINE __u32 method_overhead(const struct method *method,
			     const struct addr *backend)
{
	switch (method->forward) {
#define METHOD_OVERHEAD(name, by, ipv4, ipv6, ...)                             \
	case FORWARD_##name:                                                   \
		return addr_is_v4(backend) ? ipv4 : ipv6;
		METHODS(METHOD_OVERHEAD)
#undef METHOD_OVERHEAD
	default:
		return 0;
	}
}

#define METHOD_AGREES(name, by, ipv4, ipv6, ...)                               \
	_Static_assert((RESTORED_BY_##by == RESTORED_BY_INNER) == !!(ipv4) &&  \
			       !(ipv4) == !(ipv6),                             \
		       #name ": only a packet inside another one is longer");
METHODS(METHOD_AGREES)
#undef METHOD_AGREES
