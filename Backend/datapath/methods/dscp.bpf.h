/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dscp.bpf.h - the method `dscp`, at the backend (common/core/dscp.h)
 *
 * The mark is taken off: a server that answers with the class of the request
 * (net.ipv4.tcp_reflect_tos) would mark its replies, and routers would give
 * them that class.
 */
#pragma once

#include "Backend/datapath/methods/rewrite.bpf.h"
#include "common/core/dscp.h"

INLINE enum reason dscp_restore(struct decision *d)
{
	dscp_set(&d->packet, 0);
	return rewrite_restore(d);
}
