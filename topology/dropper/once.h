/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * once.h - remembers the numbers that were dropped, for MODE_ONCE
 */
#pragma once

#include "segment.h"

/* A number that newer ones have pushed out is dropped again. */
struct number {
	__u32 source[4];
	__u32 sequence;
	__u16 source_port;
	__u16 port;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__type(key, struct number);
	__type(value, __u8);
	__uint(max_entries, 65536);
} numbers SEC(".maps");

/* Returns true, and remembers the number, if it comes for the first time. */
static __always_inline int is_new(const struct segment *segment)
{
	struct number number = {
		.sequence = segment->sequence,
		.source_port = segment->source_port,
		.port = segment->port,
	};
	__u8 yes = 1;

	__builtin_memcpy(number.source, segment->source, sizeof(number.source));
	return !bpf_map_update_elem(&numbers, &number, &yes, BPF_NOEXIST);
}
