/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * carrier.h - neighbours outlive a loss of carrier
 */
#pragma once

#include "common/kernel/kernel.h"

struct route_hop;
/*
 * When an interface loses its carrier, the kernel deletes its neighbours, and
 * packets that XDP sends do not bring them back. So it is told to keep them:
 * after a short loss, on the same segment, nothing is lost. For the interfaces
 * of these next hops; those with ifindex 0 are none. Before Linux 5.16 the
 * kernel has no such setting.
 */
void carrier_keep(struct kernel *kernel, const struct route_hop *hops,
		  int count);
