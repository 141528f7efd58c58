/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * method.h - the forwarding methods: how a packet reaches the backend
 *
 * One table; each method has a file of its own in LoadBalancer/methods and in
 * Backend/methods, and a header beside this one for how it changes bytes.
 *
 * METHOD(name, NAME, crosses, explanation)
 *
 * crosses: the backend's address may be of another family than the VIP.
 */
#pragma once

#include <linux/types.h>

/* clang-format off */
#define METHODS(METHOD) \
METHOD(rewrite, REWRITE, 0, \
	"the backend's address is written over the VIP, the backend writes the VIP back") \
METHOD(dscp, DSCP, 0, \
	"the same, and the packet's DSCP says which VIP (the L3DSR of Yahoo)") \
METHOD(ipip, IPIP, 1, \
	"in another IP header, to the backend's address; the VIP stays inside") \
METHOD(l2, L2, 1, \
	"to the backend's MAC address alone, on the same segment; the VIP stays")

enum forward {
#define METHOD_NUMBER(name, NAME, crosses, text) FORWARD_##NAME,
	METHODS(METHOD_NUMBER)
#undef METHOD_NUMBER
	FORWARDS,
};
