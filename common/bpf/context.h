/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * context.h - what a program is called with: an XDP program's, unless the
 * program says before that it is another one's (CONTEXT)
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "common/bpf/maps.h"

/* How many bytes the frame has, from its Ethernet header on. */
#ifdef CONTEXT
INLINE __u64 frame_length(CONTEXT *ctx)
{
	return ctx->len;
}
#else
#define CONTEXT struct xdp_md
INLINE __u64 frame_length(CONTEXT *ctx)
{
	return constants.has_frags ? bpf_xdp_get_buff_len(ctx)
				   : (__u64)(ctx->data_end - ctx->data);
}
#endif
