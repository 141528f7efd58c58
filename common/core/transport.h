/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transport.h - what is above IP in a packet, in the words of trace and tools
 */
#pragma once

#include <linux/in.h>
#include <linux/in6.h>

#include "common/core/inline.h"

/* clang-format off */
#define TRANSPORTS(TRANSPORT) \
TRANSPORT(TCP, "tcp") \
TRANSPORT(UDP, "udp") \
TRANSPORT(ICMP, "icmp") \
TRANSPORT(ICMPV6, "icmpv6")
/* clang-format on */

#define TRANSPORT_OTHER "ip"

/* Of a packet that may be for no service; see protocol_name() for services. */
INLINE const char *transport_name(__u8 protocol)
{
	switch (protocol) {
#define TRANSPORT_NAME(protocol, name)                                         \
	case IPPROTO_##protocol:                                               \
		return name;
		TRANSPORTS(TRANSPORT_NAME)
#undef TRANSPORT_NAME
	default:
		return TRANSPORT_OTHER;
	}
}
