/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nat.bpf.h - the method `nat`, at the load balancer: xdp_lbr selects, and
 * leaves the packet to lbr_nat (LoadBalancer/datapath/nat.bpf.c)
 *
 * The packet is passed up as it came, whether its next hop has a MAC address or
 * not. lbr_nat runs next, where the kernel says which checksums are still to be
 * filled in.
 */
#pragma once

#include "LoadBalancer/datapath/forwarding.bpf.h"

INLINE void nat_question(struct bpf_fib_lookup *question,
			 const struct handed *h, const struct backend *backend)
{
	packet_question(question, h, backend, h->tos);
}

/* It is not sent from here. */
INLINE bool nat_plain(struct decision *d, const struct lookup *l)
{
	(void)d;
	(void)l;
	return false;
}

INLINE enum reason nat_forward(struct forwarding *forwarding)
{
	(void)forwarding;
	return REASON_translating;
}
