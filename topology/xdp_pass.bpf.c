// SPDX-License-Identifier: GPL-2.0-only
/*
 * Passes everything. A veth end drops what native XDP at the other end sends,
 * without counting it, unless it has a program itself.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

/* The same for MTUs above a page; kernels before 5.18 refuse to load it. */
SEC("xdp.frags")
int xdp_pass_frags(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
