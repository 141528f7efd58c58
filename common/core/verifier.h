/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verifier.h - what is written only for the kernel's verifier, or against a
 * compiler that would undo what the verifier needs
 *
 * Each name stands for one way in which the plain code goes wrong, shown here
 * as the compiler makes it: r3 is a register, `pkt` points into the packet.
 * What taking one away costs, measured, is in docs/verifier.md.
 *
 * Nothing here does anything at run time but the stores and loads that are
 * written out.
 */
#pragma once

#include "common/core/inline.h"

/*
 * A function that the verifier verifies once, for any arguments: those are
 * numbers, and the context. Not static: a static one is verified again at each
 * call, in each state that the caller may be in. See "Functions that are
 * verified on their own" in docs/verifier.md.
 */
#define SEPARATE __attribute__((noinline))

/*
 * A static function that is called, and not inlined: it takes pointers to
 * memory, which the verifier allows a function of its own only since 5.12.
 */
#define NOINLINE static __attribute__((noinline, unused))

/*
 * The compiler does not know where the value comes from, nor what it may be. So
 * it uses the register that was compared, and moves no comparison.
 */
#define OPAQUE(x) asm volatile("" : "+r"(x))

/*
 * A sum that is compared, and then added to a pointer:
 *
 *	at = l3_offset + (is_ipv6 ? 40 : 20);
 *	if (at > L3_MOST + 40)		if r1 > 127 goto out	; l3_offset
 *		return 0;
 *	data += at;			r3 = pkt; r3 += r1; r3 += 40
 *
 * The compiler knows more of `l3_offset` than the verifier, so it compares that
 * one, or nothing at all, and adds the rest apart: the register that is added
 * was never compared. "math between pkt pointer and register with unbounded min
 * value", or a pointer that no comparison with the end makes valid: "R3 invalid
 * access to packet, off=52, r=0". Seen with clang 14, Linux 6.18.
 */
#define KEEP_SUM(sum) OPAQUE(sum)

/*
 * A pointer that moves on in a loop, and is compared with the end:
 *
 *	for (...; word++)		r7 = pkt_end; r7 += -4
 *		if (word + 1 > end)	if r4 > r7 goto out
 *			return 0;
 *
 * The compiler moves the end instead, once, in front of the loop: "R7 pointer
 * arithmetic on pkt_end prohibited". Seen with clang 14, all kernels.
 */
#define KEEP_END(pointer) OPAQUE(pointer)

/*
 * Two pointers that are compared with the end, of which one lies behind the
 * other:
 *
 *	to = from + shift;
 *	if (to + WORDS > end ||		if r2 > r8 goto out	; to + WORDS
 *	    from + WORDS > end)
 *		return;
 *	to[0] = from[0];		r5 = *(u16 *)(r0 + 18)	; from
 *
 * The second comparison follows from the first one, so the compiler leaves it
 * out. The verifier does not draw that conclusion: "invalid access to packet,
 * off=18 size=2". Seen with clang 19, all kernels.
 */
#define KEEP_TEST(pointer) OPAQUE(pointer)

/*
 * Two calls, in two branches that meet behind them:
 *
 *	found = a ? bpf_map_lookup_elem(&one, &key)	r1 = one; goto both
 *		  : bpf_map_lookup_elem(inner, &key);	r1 = inner
 *						both:	call 1
 *
 * The compiler makes them one call. The verifier then does not know whose map
 * it is, and leaves a call by pointer to the kernel in place of the few
 * instructions that an array takes. `result`: of the first one.
 */
#define KEEP_APART(result) OPAQUE(result)

/*
 * 1 if the number is 0, else 0, in three instructions and without a branch:
 *
 *	way = a == b ? 1 : 0;		r1 = 1
 *					if r2 == r3 goto +1
 *					r1 = 0
 *
 * The BPF instruction set compares only to jump, so whatever follows is
 * verified once for each answer; and where any answer is as likely as another,
 * the CPU guesses wrong.
 */
INLINE __u64 is_zero(__u64 number)
{
	__u64 negative = -number, answer;

	/* Or the compiler finds out, here or where it is used, and jumps. */
	OPAQUE(negative);
	answer = (number | negative) >> 63;
	OPAQUE(answer);
	return answer ^ 1;
}

/* The same for a < b; both are below 2^63. */
INLINE __u64 is_less(__u64 a, __u64 b)
{
	__u64 answer = a - b;

	OPAQUE(answer);
	answer >>= 63;
	OPAQUE(answer);
	return answer;
}

/*
 * `first` if `answer` is 1, `second` if it is 0. A product and no mask: of a
 * number that is 0 or -1, newer verifiers follow both.
 */
INLINE __u64 either(__u64 answer, __u64 first, __u64 second)
{
	return second + answer * (first - second);
}

/* Of four answers of is_zero(): the number of the first 1. One of them is. */
INLINE __u32 first_of_four(__u64 answers)
{
	__u64 first = answers & -answers;

	return (first >> 1) - (first >> 3);
}

/*
 * A map's value, and an index into it that must be in bounds:
 *
 *	rows = bpf_map_lookup_elem(...);	r9 = r0
 *	if (!rows)				if r9 == 0 goto out
 *		return NULL;			r7 <<= 5
 *	return &rows->at[index % ROWS];		r9 += r7
 *
 * If the compiler knows what the function returns that `index` comes from, it
 * drops the remainder; the verifier does not know: "R9 unbounded memory
 * access". Or it adds before it compares with NULL: "pointer arithmetic on
 * map_value_or_null prohibited". Seen with clang 19, all kernels.
 */
#define KEEP_INDEX(map_value, index)                                           \
	asm volatile("" : "+r"(map_value), "+r"(index))

/*
 * An index that cannot be too large, but the verifier does not know. `count`: a
 * power of two.
 */
#define WITHIN(index, count) ((index) & ((count)-1))

/*
 * Stores a constant into a field of 64 bits, so that the verifier knows it
 * further on and does not follow the branch that cannot be:
 *
 *	if (packet->is_ipv6) {
 *		...			; *(u64 *)(r10 - 72) = unknown, not 0
 *	}
 *	if (packet->is_ipv6)		; both ways are followed again
 *
 * The compiler leaves a store out that changes nothing. Before 6.3 the verifier
 * keeps only constants on the stack, and at any time only of a whole register.
 */
#define TELL(field, constant) (*(volatile __u64 *)&(field) = (constant))

/*
 * The opposite: a store of 32 bits into half of a word on the stack. The
 * verifier forgets the other half; what differed only in it is then one state,
 * and is followed once.
 */
#define FORGET_BESIDE(field, value) (*(volatile __u32 *)&(field) = (value))

/*
 * Reads the frame's first byte, or its end, again after a call. With a pointer
 * from before, the verifier would go on with each range that it had found for
 * it, as a state of its own. `context_field`: ctx->data or ctx->data_end.
 */
#define READ_ANEW(context_field)                                               \
	((void *)(long)*(volatile __u32 *)&(context_field))

/*
 * One byte of a word, so that the verifier takes 0 and anything else as one
 * state.
 */
INLINE __u8 low_byte(const __u64 *word)
{
	const volatile __u8 *bytes = (const volatile __u8 *)word;

	return bytes[__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 7 : 0];
}

/*
 * Returns the same number (below 256), but the verifier no longer knows which
 * one it is, and so follows the rest once: it does not track single bytes of a
 * word on the stack.
 */
INLINE __u32 forget(__u32 number)
{
	volatile __u8 word[8] __attribute__((aligned(8)));

	word[1] = number;
	return word[1];
}

/* The same for a number of 32 bits. */
INLINE __u32 forget_word(__u32 number)
{
	volatile __u32 word[2] __attribute__((aligned(8)));

	word[1] = number;
	return word[1];
}
