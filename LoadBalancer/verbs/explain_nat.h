/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * explain_nat.h - what lbr_nat would do with a packet that xdp_lbr passes up:
 * asks its copy without writes (LoadBalancer/explain_nat.bpf.c)
 */
#pragma once

#include <jansson.h>
#include <netinet/in.h>

#include "common/core/abi_nat.h"
#include "common/kernel/kernel.h"
#include "common/net/netlink.h"

struct explain_nat {
	struct explain_nat_bpf *skeleton; /* NULL: lbr_nat is not there */
	__u32 ifindex;
	__u32 rows;		  /* of its table */
	struct nat_handed answer; /* the last; row 0: it is of no flow */
};

/*
 * For packets that come in by this interface. Returns 0, also if lbr_nat is not
 * behind it, or if `link` is NULL: it will not be asked; or -1 with a fault.
 */
int explain_nat_open(const struct kernel *kernel, const struct link *link,
		     struct explain_nat *nat, struct fault *fault);
void explain_nat_close(struct explain_nat *nat);

/*
 * Asks it about a frame of `length` bytes that xdp_lbr has left for *reason, if
 * it sees those: then *reason is its own, and `out` and *size are the frame
 * afterwards. `out` has room for twice ASKED_ROOM. Returns 0, or -1 with a
 * fault.
 */
int explain_nat_ask(struct explain_nat *nat, const __u8 *frame, size_t length,
		    __u8 *out, size_t *size, __u8 *reason, struct fault *fault);

/* The answer, typed, or as a text. */
json_t *nat_json(const struct explain_nat *nat);
json_t *nat_text(const struct explain_nat *nat);
