/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - what `lbr run` tells both programs about its health checks
 *
 * A check's socket is in a network namespace of `lbr run`'s own. What it sends
 * meets xdp_lbr_check, and what comes back meets xdp_lbr; both look for its
 * row in the map `checks`.
 */
#pragma once

#include "common/core/abi.h"

/* Rows of `checks`: one for each backend that is checked, and as many again. */
#define MAX_CHECKS (2 * MAX_BACKENDS)

/* The end of a check's socket: an address of this host's, and its port. */
struct check_key {
	struct addr own;
	__be16 port;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 zero;
};
_Static_assert(sizeof(struct check_key) == 20, "check_key");

/* A check: what its socket is connected to, and by way of whom. */
struct check {
	struct addr vip;
	__be16 port; /* of the VIP */
	__u16 zero;
	__u32 backend; /* struct backend.id */
	__u32 ifindex; /* struct interface.ifindex: it counts as come in here */
	__u32 reason;  /* enum reason, of its last packet out; else NONE */
};
_Static_assert(sizeof(struct check) == 32, "check");

/* The MAC address of the veth's end in the namespace ("\x02lbr"). */
#define CHECK_MAC                                                              \
	{                                                                      \
		0x02, 0x6c, 0x62, 0x72, 0x00, 0x00                             \
	}
