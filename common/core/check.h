/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - what `lbr run` tells both programs about its health checks
 *
 * The socket of a check is in a network namespace of `lbr run`'s own.
 * xdp_lbr_check sees what it sends, xdp_lbr what comes back; both look up the
 * check in the map `checks`.
 */
#pragma once

#include "common/core/abi.h"
#include "common/core/abi_packets.h"
#include "common/core/abi_services.h"

/*
 * Entries of `checks`: one for each backend that is checked, and as many again.
 */
#define MAX_CHECKS (2 * MAX_BACKENDS)

/* The end of a check's socket: an address of this host, and a port. */
struct check_key {
	struct addr own;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 zero;
};
_Static_assert(sizeof(struct check_key) == 20, "check_key");

/* A check: what its socket is connected to, and through which backend. */
struct check {
	struct addr vip;
	__be16 port; /* of the VIP */
	__u16 zero;
	__u32 backend; /* struct backend.id */
	__u32 ifindex; /* struct interface.ifindex: where it counts as having
			  come in */
	__u32 reason;  /* enum reason, of its last packet out; else NONE */
};
_Static_assert(sizeof(struct check) == 32, "check");

/* The MAC address of the veth end in the namespace ("\x02lbr"). */
#define CHECK_MAC                                                              \
	{                                                                      \
		0x02, 0x6c, 0x62, 0x72, 0x00, 0x00                             \
	}
