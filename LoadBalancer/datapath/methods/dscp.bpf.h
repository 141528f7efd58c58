/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dscp.bpf.h - the method `dscp`, on its way out (common/core/dscp.h)
 *
 * As `rewrite`, and the packet's DSCP says which of the backend's VIPs it was
 * for. So it is not asked for its port, and what comes to the backend without
 * a mark was sent to the backend itself.
 */
#pragma once

INLINE enum reason dscp_forward(struct way *way)
{
	rewrite_address(way);
	dscp_set(&way->packet, way->method.dscp);
	rewrite_rest(way);
	return way->reason;
}
