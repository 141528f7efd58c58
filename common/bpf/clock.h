/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * clock.h - the kernel's jiffies, for the tools
 *
 * The programs read the time with bpf_jiffies64(), which costs a nanosecond. No
 * file tells user space its value, so the tools run this program with
 * BPF_PROG_TEST_RUN: it writes the time into the packet that they pass.
 */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int clock(struct xdp_md *ctx)
{
	__u64 *now = (void *)(long)ctx->data;

	if ((void *)(now + 1) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*now = bpf_jiffies64();
	return XDP_PASS;
}
