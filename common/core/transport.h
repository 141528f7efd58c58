/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * transport.h - what is above IP in a packet, in the words of trace and tools
 */
#pragma once

#include <linux/in.h>
#include <linux/in6.h>

/* clang-format off */
#define TRANSPORTS(TRANSPORT) \
TRANSPORT(TCP, "tcp") \
TRANSPORT(UDP, "udp") \
TRANSPORT(ICMP, "icmp") \
TRANSPORT(ICMPV6, "icmpv6")
/* clang-format on */

#define TRANSPORT_OTHER "ip"
