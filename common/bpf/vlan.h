/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vlan.h - which VLAN device a tagged frame came in by
 *
 * In native mode the program sees a frame as it is on the wire, before the
 * kernel hands it to the VLAN device that its tags name.
 */
#pragma once

#include "common/bpf/context.h"
#include "common/bpf/maps.h"
#include "common/core/verifier.h"
#include "common/core/vlan.h"

/* 0: these tags belong to no VLAN device. */
INLINE __u32 vlan_find(__u32 port, __u32 vlan)
{
	struct vlan_key key = {port, {vlan >> 16, vlan}};
	__u32 *device = bpf_map_lookup_elem(&vlans, &key);

	return device ? *device : 0;
}

SEPARATE int vlan_device(__u32 port, __u32 vlan)
{
	return vlan_find(port, vlan);
}

/* The device by which the frame came in, as the kernel sees it. */
INLINE __u32 device_of(CONTEXT *ctx, const struct packet *packet)
{
	if (!packet->vlan.outer)
		return ctx->ingress_ifindex;
	return vlan_device(ctx->ingress_ifindex, vlan_number(&packet->vlan));
}
