/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dscp.bpf.h - the method `dscp`, undone (common/core/dscp.h)
 *
 * The mark has served and is taken off: a server that answers with the class
 * it was asked with (net.ipv4.tcp_reflect_tos) would mark its answers, and
 * routers would give them the class.
 */
#pragma once

INLINE enum reason dscp_restore(struct decision *d)
{
	dscp_set(&d->packet, 0);
	return rewrite_restore(d);
}
