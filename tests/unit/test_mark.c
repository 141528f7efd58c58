// SPDX-License-Identifier: GPL-2.0-only
/*
 * SipHash-1-3 against another implementation, which works byte by byte as the
 * paper does; what a mark depends on; where it is in an inner header.
 */
#include "common/core/mark.h"
#include "tests/unit/frame.h"

static uint64_t left(uint64_t word, unsigned int bits)
{
	return word << bits | word >> (64 - bits);
}

static void mix(uint64_t v[4], int rounds)
{
	while (rounds--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = left(v[1], 13);
		v[3] = left(v[3], 16);
		v[1] ^= v[0];
		v[3] ^= v[2];
		v[0] = left(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = left(v[1], 17);
		v[3] = left(v[3], 21);
		v[1] ^= v[2];
		v[3] ^= v[0];
		v[2] = left(v[2], 32);
	}
}

/* SipHash-C-D of any number of bytes. */
static uint64_t siphash(int c, int d, const uint8_t key[16], const uint8_t *in,
			size_t length)
{
	uint64_t k[2], word, v[4];
	size_t i;

	memcpy(k, key, 16);
	v[0] = k[0] ^ 0x736f6d6570736575;
	v[1] = k[1] ^ 0x646f72616e646f6d;
	v[2] = k[0] ^ 0x6c7967656e657261;
	v[3] = k[1] ^ 0x7465646279746573;
	for (i = 0; i <= length / 8; i++) {
		word = i == length / 8 ? (uint64_t)length << 56 : 0;
		memcpy(&word, in + 8 * i, i == length / 8 ? length % 8 : 8);
		v[3] ^= word;
		mix(v, c);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	mix(v, d);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/*
 * The vector of the paper (appendix A) shows that the other implementation is
 * right.
 */
static void paper(void **unused)
{
	uint8_t key[16], in[15];

	(void)unused;
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	memcpy(in, key, 15);
	assert_true(siphash(2, 4, key, in, 15) == 0xa129ca6149be45e5);
}

static void same_hash(void **unused)
{
	uint64_t state = 21;

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		__u64 key[2] = {draw(&state), draw(&state)};
		uint64_t words[4] = {draw(&state), draw(&state), draw(&state)};
		uint32_t period = (uint32_t)draw(&state);

		words[3] = period;
		assert_true(
			mark_hash(key, words[0], words[1], words[2], period) ==
			siphash(1, 3, (uint8_t *)key, (uint8_t *)words, 28));
		assert_true(
			siphash_tail(key, words[0], words[1], words[2], 0, 0) ==
			siphash(1, 3, (uint8_t *)key, (uint8_t *)words, 24));
	}
}

/* Each input bit changes about half of the mark's bits. */
static void depends(void **unused)
{
	uint64_t state = 22, changed = 0, turns = 0;

	(void)unused;
	for (int i = 0; i < 2000; i++) {
		__u64 in[6], was, is;

		draw_bytes(&state, (uint8_t *)in, sizeof(in));
		was = mark_hash(in, in[2], in[3], in[4], (uint32_t)in[5]);
		for (int bit = 0; bit < 352; bit += 11) {
			in[bit / 64] ^= 1ULL << bit % 64;
			is = mark_hash(in, in[2], in[3], in[4],
				       (uint32_t)in[5]);
			in[bit / 64] ^= 1ULL << bit % 64;
			changed += (uint64_t)__builtin_popcountll((was ^ is) &
								  MARK_V4);
			turns++;
		}
	}
	assert_in_range(100 * changed / turns, 780, 820);
}

static void where(void **unused)
{
	_Alignas(4) uint8_t ip[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct addr to = {{bpf_htonl(0x20010db8), bpf_htonl(1), bpf_htonl(2),
			   bpf_htonl(0xfffffffe)}};

	(void)unused;
	assert_int_equal(mark_word(ip, 1), 0x01020304);
	assert_int_equal(mark_word(ip, 0), 0x05060708);
	assert_true(mark_half(&to, 0) == 0x20010db800000001);
	assert_true(mark_half(&to, 1) == 0x2fffffffe);
	assert_int_equal(mark_period(0xfffff), 0);
	assert_int_equal(mark_period(0x300000), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paper),
		cmocka_unit_test(same_hash),
		cmocka_unit_test(depends),
		cmocka_unit_test(where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
