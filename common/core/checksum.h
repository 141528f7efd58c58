/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * checksum.h - the Internet checksum, updated incrementally
 *
 * RFC 1624, equation 3: HC' = ~(~HC + ~m + m'). Adding 16-bit words can carry
 * twice, so the sum is folded twice; with one fold, one header in about 37,000
 * is wrong and no example shows it.
 *
 * Words are added as they lie in memory: the one's complement sum does not
 * depend on the byte order (RFC 1071, 2B), so nothing here swaps bytes.
 */
#pragma once

#include "common/core/inline.h"
#include "common/core/verifier.h"

/* A 32-bit word of the packet as two 16-bit words, added. At most 0x1fffe. */
INLINE __u32 checksum_word(__be32 word)
{
	__u32 w = (FORCE __u32)word;

	return (w & 0xffff) + (w >> 16);
}

/* Bytes that are added without asking where they end. */
#define CHECKSUM_BLOCK 64

INLINE __u64 checksum_block(const void *from)
{
	const __u32 *words = from;
	__u64 sum = 0;
	int i;

	for (i = 0; i < CHECKSUM_BLOCK / 4; i++)
		sum += words[i];
	return sum;
}

/*
 * The words of [from, end), less than a block. A last odd byte counts as if a 0
 * followed.
 */
INLINE __u64 checksum_rest(const void *from, const void *end)
{
	__u8 last[2] = {0, 0};
	__u64 sum = 0;
	__u16 word;
	int i;

	for (i = 0; i < CHECKSUM_BLOCK / 4 - 1; i++) {
		if (from + 4 > end)
			break;
		sum += *(const __u32 *)from;
		from += 4;
	}
	if (from + 2 <= end) {
		sum += *(const __u16 *)from;
		from += 2;
	}
	if (from + 1 <= end) {
		last[0] = *(const __u8 *)from;
		__builtin_memcpy(&word, last, sizeof(word));
		sum += word;
	}
	return sum;
}

/* As checksum_fold(), of 64 bits. */
INLINE __u16 checksum_fold64(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)((sum & 0xffff) + (sum >> 16));
}

INLINE __u16 checksum_fold(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__u16)sum;
}

/*
 * Is the checksum of the IPv4 header at `ip` right? With it, all words of the
 * header and of its options add up to 0xffff (RFC 1071 1). `end`: of the frame.
 */
INLINE int checksum_ipv4_is_right(const void *ip, const void *end)
{
	const __be32 *word = ip;
	__u32 i, words, sum = 0;

	if ((const void *)(word + 5) > end)
		return 0;
	words = *(const __u8 *)ip & 15;
	for (i = 0; i < 15; i++, word++) {
		if (i >= words)
			break;
		KEEP_END(word);
		if ((const void *)(word + 1) > end)
			return 0;
		sum += checksum_word(*word);
	}
	return checksum_fold(sum) == 0xffff;
}

/* The checksum after one 16-bit word changed from `before` to `after`. */
INLINE __sum16 checksum_replace16(__sum16 checksum, __be16 before, __be16 after)
{
	__u32 sum = (__u16) ~(FORCE __u16)checksum;

	sum += (__u16) ~(FORCE __u16)before;
	sum += (FORCE __u16)after;
	return (FORCE __sum16)(__u16)~checksum_fold(sum);
}

/* The same for a 32-bit word. */
INLINE __sum16 checksum_replace32(__sum16 checksum, __be32 before, __be32 after)
{
	__u32 sum = (__u16) ~(FORCE __u16)checksum;

	sum += checksum_word((FORCE __be32) ~(FORCE __u32)before);
	sum += checksum_word(after);
	return (FORCE __sum16)(__u16)~checksum_fold(sum);
}
