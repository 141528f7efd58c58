// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver - restore the packet before each turn
 *
 * BPF_PROG_TEST_RUN runs a program again and again on one buffer. The program
 * under test has rewritten the packet by then, so a plain repetition measures
 * something else. The driver writes the headers anew, of one flow out of many,
 * and tail-calls what is under test; `swap` in its place is the floor.
 *
 * What a scenario fixes is constant: the verifier removes the rest, so that
 * the driver costs as little as can be.
 */
#include <stdbool.h>
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "tests/bench/driver.h"

char LICENSE[] SEC("license") = "GPL";

const volatile struct scenario scenario = {};

/* The headers of flow 0; where flows differ, the IPv4 header sum is 0. */
__u64 first;
__u64 words[WORDS];
__u32 turn; /* only counted where flows differ */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} subject SEC(".maps");

/*
 * A 16-bit field at offset `at` of the frame, shifted to its bits of its word.
 */
#define FIELD(value, at) ((__u64)(__u16)(value) << (((at)-WORDS_AT) % 8 * 8))
#define WORD_OF(at)	 (((at)-WORDS_AT) / 8)

/* Fields of IPv4 and of IPv6 without options: offsets in the frame. */
#define SUM_AT	 24
#define ADDRESS4 28 /* the last two bytes of the source address */
#define ADDRESS6 36
#define PORT4	 34
#define PORT6	 54

/* A word of the headers; a flow is 15 bits of port and 16 of address. */
static __always_inline __u64 word_of(__u32 i, __u32 flow, bool is_ipv6)
{
	__be16 port = bpf_htons(flow & 0x7fff), address = bpf_htons(flow >> 15);
	__u64 word = words[i];
	__u32 sum;

	if (i == WORD_OF(is_ipv6 ? PORT6 : PORT4))
		word |= FIELD(port, is_ipv6 ? PORT6 : PORT4);
	if (i == WORD_OF(is_ipv6 ? ADDRESS6 : ADDRESS4))
		word |= FIELD(address, is_ipv6 ? ADDRESS6 : ADDRESS4);
	if (i == WORD_OF(SUM_AT) && !is_ipv6) {
		sum = scenario.sum + address;
		sum = (sum & 0xffff) + (sum >> 16);
		word |= FIELD(~sum, SUM_AT);
	}
	return word;
}

static __always_inline int drive(struct xdp_md *ctx, bool is_ipv6)
{
	__u32 count = scenario.words, flow, i;
	__u64 *to;
	int grown;

	/*
	 * Undo what the program did to the frame's front: cut off what it
	 * added, put back what it removed. Where this costs anything, the floor
	 * has the same cost.
	 */
	if (scenario.grows) {
		grown = (long)ctx->data_end - (long)ctx->data - scenario.length;
		if (bpf_xdp_adjust_head(ctx, grown))
			return XDP_ABORTED;
	}
	to = (void *)(long)ctx->data;
	if ((void *)to + HEADERS_MAX > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	*to = first;
	to = (void *)to + WORDS_AT;
	if (!scenario.flows) {
#pragma unroll
		for (i = 0; i < WORDS; i++) {
			if (i < count)
				to[i] = words[i];
		}
	} else {
		flow = (turn++ >> scenario.twice) * FLOW_STEP & scenario.flows;
#pragma unroll
		for (i = 0; i < WORDS; i++) {
			if (i < count)
				to[i] = word_of(i, flow, is_ipv6);
		}
	}
	bpf_tail_call(ctx, &subject, 0);
	return XDP_ABORTED;
}

SEC("xdp.frags")
int driver4(struct xdp_md *ctx)
{
	return drive(ctx, false);
}

SEC("xdp.frags")
int driver6(struct xdp_md *ctx)
{
	return drive(ctx, true);
}

/* Live frames leave by the interface that they are said to have come in by. */
SEC("xdp.frags")
int send(struct xdp_md *ctx __attribute__((unused)))
{
	return XDP_TX;
}

/* Where sent frames end. One CPU handles all of them. */
__u64 sunk;

SEC("xdp.frags")
int sink(struct xdp_md *ctx __attribute__((unused)))
{
	sunk++;
	return XDP_DROP;
}

/* The least that any forwarder has to do. */
SEC("xdp.frags")
int swap(struct xdp_md *ctx)
{
	__u16 *mac = (void *)(long)ctx->data, kept[3];

	if ((void *)(mac + 6) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	__builtin_memcpy(kept, mac, 6);
	__builtin_memcpy(mac, mac + 3, 6);
	__builtin_memcpy(mac + 3, kept, 6);
	return XDP_TX;
}
