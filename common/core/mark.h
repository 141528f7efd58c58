/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mark.h - the mark by which an error about an outer header is proven
 *
 * Anybody can send an ICMP error that says that the path to a backend is
 * narrow. A router on that path has seen one of our packets and quotes its
 * outer header. So a field of that header, which routers neither use nor
 * change, holds a keyed hash: IPv4's identification (16 bits; free, because
 * every outer header has DF: RFC 6864 4.1) or IPv6's flow label (20 bits; one
 * value for each flow, as RFC 6437 and 6438 want it).
 *
 * The hash covers the backend's address, the time, and what distinguishes
 * packets or flows and is in the quote: with IPv4 the word of the inner header
 * that holds its identification (IPv6: its flow label), with IPv6 the inner
 * flow. So somebody who has seen one mark knows no other, and can use it for at
 * most two periods.
 *
 * Guessing: the marks of two periods are valid, so 1 of 32,768 guesses is right
 * (IPv6: 1 of 524,288). Only MARK_GUESSES wrong ones are looked at each second:
 * on average one success in 2.3 hours of a flood (IPv6: 36 hours), which
 * narrows the path to one backend, no further than IPV4_LEAST or IPV6_LEAST,
 * until it expires. While the flood lasts, no error is believed.
 */
#pragma once

#include "common/core/packet.h"

/* Periods of 2^20 jiffies: 17 minutes to 2.9 hours. */
#define MARK_PERIOD_SHIFT 20
#define MARK_GUESSES	  4 /* wrong marks looked at in a second */

#define MARK_V4 0xffff
#define MARK_V6 0xfffff
/* An outer IPv4 packet of at most this length has no mark (0). */
#define MARK_LENGTH IPV4_LEAST

INLINE __u64 mark_rotate(__u64 word, int bits)
{
	return word << bits | word >> (64 - bits);
}

/* One round. */
INLINE void mark_round(__u64 v[4])
{
	v[0] += v[1];
	v[1] = mark_rotate(v[1], 13) ^ v[0];
	v[0] = mark_rotate(v[0], 32);
	v[2] += v[3];
	v[3] = mark_rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = mark_rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = mark_rotate(v[1], 17) ^ v[2];
	v[2] = mark_rotate(v[2], 32);
}

INLINE void mark_take(__u64 v[4], __u64 word)
{
	v[3] ^= word;
	mark_round(v);
	v[0] ^= word;
}

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012) of four words, the last of which
 * holds at most 7 bytes: the message is 24 bytes and `tail_bytes` of `tail`.
 */
INLINE __u64 siphash_tail(const __u64 key[SECRET_WORDS], __u64 first,
			  __u64 second, __u64 third, __u64 tail,
			  __u64 tail_bytes)
{
	__u64 v[] = {
		key[0] ^ 0x736f6d6570736575ULL,
		key[1] ^ 0x646f72616e646f6dULL,
		key[0] ^ 0x6c7967656e657261ULL,
		key[1] ^ 0x7465646279746573ULL,
	};

	mark_take(v, first);
	mark_take(v, second);
	mark_take(v, third);
	mark_take(v, (24 + tail_bytes) << 56 | tail);
	v[2] ^= 0xff;
	mark_round(v);
	mark_round(v);
	mark_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/*
 * The keyed hash of a packet or flow on its way to an address, whose halves are
 * `high` and `low` (mark_half()). `period`: mark_period(). The mark is its low
 * MARK_V4 or MARK_V6 bits.
 */
INLINE __u64 mark_hash(const __u64 key[SECRET_WORDS], __u64 high, __u64 low,
		       __u64 flow, __u32 period)
{
	return siphash_tail(key, high, low, flow, period, sizeof(period));
}

INLINE __u64 mark_half(const struct addr *to, int half)
{
	return (__u64)bpf_ntohl(to->w[2 * half]) << 32 |
	       bpf_ntohl(to->w[2 * half + 1]);
}

INLINE __u32 mark_period(__u64 jiffies)
{
	return (__u32)(jiffies >> MARK_PERIOD_SHIFT);
}

/*
 * With an outer IPv4 header: the part of the inner IP header that distinguishes
 * packets. It is the same in the first segment of a super-packet that is
 * segmented later.
 */
INLINE __u32 mark_word(const void *inner, int is_ipv6)
{
	const __be32 *words = inner;

	return bpf_ntohl(words[is_ipv6 ? 0 : 1]);
}
