/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * check.h - what xdp_lbr_check is told, and tells
 *
 * In a map that is not pinned: it is gone with who checks.
 */
#pragma once

#include "common/core/abi.h"

/*
 * A health check under way, by where its packets come from: which backend it
 * is for, and what became of its last packet (enum reason).
 */
#define MAX_CHECKS (4 * MAX_BACKENDS)
struct check_key {
	struct addr source;
	__be16 port;
	__u8 protocol;
	__u8 zero;
};
_Static_assert(sizeof(struct check_key) == 20, "check_key");

struct check {
	__u32 backend; /* struct backend.id */
	__u32 reason;
};
_Static_assert(sizeof(struct check) == 8, "check");
