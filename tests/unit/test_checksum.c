// SPDX-License-Identifier: GPL-2.0-only
/*
 * Law: a checksum that was changed is the one computed from scratch, for
 * every header and every change. Examples do not show a missing carry: it is
 * wrong once in some ten thousand headers.
 */
#include "common/core/rewrite.h"
#include "tests/unit/frame.h"

#define HEADERS draws(1000000)
#define WORDS	10

/* Read memory as the core does, and the wire as the oracle does. */
static __be16 be16_at(const uint8_t *bytes)
{
	__be16 word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

static __be32 be32_at(const uint8_t *bytes)
{
	__be32 word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* A random header whose checksum, in word 5, is correct. */
static void draw_header(uint64_t *state, uint8_t *header)
{
	draw_bytes(state, header, 2 * WORDS);
	header[0] = 0x45; /* never all zero: no header is all zero */
	put_ipv4_checksum(header);
}

static __sum16 sum16(__be16 word)
{
	return (FORCE __sum16)(FORCE __u16)word;
}

static void check_replaced(uint8_t *header, __sum16 checksum)
{
	put_ipv4_checksum(header);
	assert_int_equal((FORCE __u16)checksum,
			 (FORCE __u16)be16_at(header + 10));
}

static void word_replaced(void **unused)
{
	static const int places[] = {1, 2, 3, 4, 6, 7, 8, 9};
	uint8_t header[2 * WORDS];
	uint64_t state = 1;
	int i;

	(void)unused;
	for (i = 0; i < HEADERS; i++) {
		uint8_t *at;
		__be16 before;
		__sum16 checksum;

		draw_header(&state, header);
		at = header + 2 * places[i % 8];
		before = be16_at(at);
		checksum = sum16(be16_at(header + 10));
		draw_bytes(&state, at, 2);
		checksum = checksum_replace16(checksum, before, be16_at(at));
		check_replaced(header, checksum);
	}
}

static void double_word_replaced(void **unused)
{
	static const int places[] = {1, 3, 6, 8};
	uint8_t header[2 * WORDS];
	uint64_t state = 2;
	int i;

	(void)unused;
	for (i = 0; i < HEADERS; i++) {
		uint8_t *at;
		__be32 before;
		__sum16 checksum;

		draw_header(&state, header);
		at = header + 2 * places[i % 4];
		before = be32_at(at);
		checksum = sum16(be16_at(header + 10));
		draw_bytes(&state, at, 4);
		checksum = checksum_replace32(checksum, before, be32_at(at));
		check_replaced(header, checksum);
	}
}

/* Every possible sum: at most five words of 0xffff. */
static void every_sum_folded(void **unused)
{
	__u32 sum;

	(void)unused;
	assert_int_equal(checksum_fold(0), 0);
	for (sum = 1; sum <= 5 * 0xffff; sum++)
		assert_int_equal(checksum_fold(sum), (sum - 1) % 0xffff + 1);
}

/*
 * Built to carry twice: a checksum of 0 and a word 0 that becomes 1 as the
 * machine reads it. The sum is 0xffff + 0xffff + 1, folds to 0x10000, then to
 * 1. In 32 bits the sum is 0xffff + 2 * 0xffff + 2.
 */
static void carries_twice(void **unused)
{
	const __be16 one = (FORCE __be16)(__u16)1;
	const __be32 ones = (FORCE __be32)0x00010001;
	uint8_t header[2 * WORDS] = {0x45};
	__sum16 checksum;

	(void)unused;
	put_word(header + 12, 0xffff - 0x4500);
	put_ipv4_checksum(header);
	assert_int_equal((FORCE __u16)be16_at(header + 10), 0);

	checksum = checksum_replace16(sum16(0), 0, one);
	memcpy(header + 18, &one, sizeof(one));
	check_replaced(header, checksum);
	assert_int_equal((FORCE __u16)checksum, 0xfffe);

	checksum = checksum_replace32(sum16(0), 0, ones);
	memcpy(header + 16, &ones, sizeof(ones));
	check_replaced(header, checksum);
	assert_int_equal((FORCE __u16)checksum, 0xfffd);
}

static void there_and_back(void **unused)
{
	uint64_t state = 3;
	int i;

	(void)unused;
	for (i = 0; i < HEADERS; i++) {
		uint8_t words[8], checksum[2];
		__be32 a, b;
		__sum16 before, there;

		draw_bytes(&state, words, sizeof(words));
		draw_bytes(&state, checksum, sizeof(checksum));
		a = be32_at(words);
		b = be32_at(words + 4);
		before = sum16(be16_at(checksum));
		/*
		 * Minus zero: no header has it as its correct checksum (RFC
		 * 1624 3).
		 */
		if ((FORCE __u16)before == 0xffff)
			continue;
		there = checksum_replace32(before, a, b);
		assert_int_equal((FORCE __u16)checksum_replace32(there, b, a),
				 (FORCE __u16)before);
	}
}

/* The changes that the programs make, to whole headers with options. */
static void ttl_and_destination(void **unused)
{
	uint64_t state = 4;
	int i;

	(void)unused;
	for (i = 0; i < HEADERS; i++) {
		_Alignas(4) uint8_t header[60];
		struct packet packet = {.l3 = header};
		struct addr to;
		uint8_t ttl = draw(&state);

		draw_bytes(&state, header, sizeof(header));
		header[0] = 0x40 | (5 + draw_below(&state, 11));
		put_ipv4_checksum(header);
		rewrite_ttl(&packet, ttl);
		assert_int_equal(header[8], ttl);
		assert_true(ipv4_checksum_is_true(header));
		draw_bytes(&state, (uint8_t *)&to, sizeof(to));
		rewrite_destination(&packet, &to);
		assert_memory_equal(header + 16, &to.w[3], 4);
		assert_true(ipv4_checksum_is_true(header));
	}
}

/* Block by block and then the rest, as a program does it. */
static uint16_t sum_by_blocks(const uint8_t *bytes, size_t length)
{
	const uint8_t *end = bytes + length;
	uint64_t sum = 0;
	uint16_t word;

	for (; end - bytes >= CHECKSUM_BLOCK; bytes += CHECKSUM_BLOCK)
		sum += checksum_block(bytes);
	word = checksum_fold64(sum + checksum_rest(bytes, end));
	return bpf_ntohs((FORCE __be16)word);
}

static void bytes_summed(void **unused)
{
	uint64_t state = 1;
	int i;

	(void)unused;
	for (i = 0; i < 100000; i++) {
		size_t length = draw_below(&state, 1300);
		uint8_t *bytes = malloc(length);

		assert_non_null(bytes);
		draw_bytes(&state, bytes, length);
		/* Zero and minus zero are one number. */
		assert_int_equal(sum_by_blocks(bytes, length) % 0xffff,
				 sum_of(bytes, length, 0) % 0xffff);
		free(bytes);
	}
}

/* With options of any length; then truncated; then with one wrong bit. */
static void header_checked(void **unused)
{
	enum { LINK = 14 };
	uint64_t state = 3;
	int i;

	(void)unused;
	for (i = 0; i < HEADERS / 10; i++) {
		uint8_t bytes[LINK + 60] = {0}, *ip;
		size_t length = 4 * (5 + draw_below(&state, 11));
		uint32_t bit = 8 + draw_below(&state, 8 * (uint32_t)length - 8);
		struct frame header;

		draw_bytes(&state, bytes + LINK, length);
		bytes[LINK] = 0x40 | length / 4;
		put_ipv4_checksum(bytes + LINK);
		header = frame_copy(bytes, LINK + length);
		ip = header.bytes + LINK;
		assert_true(checksum_ipv4_is_right(ip, ip + length));
		assert_false(checksum_ipv4_is_right(ip, ip + length - 1));
		ip[bit / 8] ^= 1 << bit % 8;
		assert_false(checksum_ipv4_is_right(ip, ip + length));
		frame_free(header);
	}
}

static void large_sums_folded(void **unused)
{
	uint64_t state = 1, sum;
	int i;

	(void)unused;
	assert_int_equal(checksum_fold64(~0ULL), 0xffff);
	assert_int_equal(checksum_fold64(0), 0);
	for (i = 0; i < HEADERS; i++) {
		sum = draw(&state) >> draw_below(&state, 64);
		assert_int_equal(checksum_fold64(sum) % 0xffff, sum % 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_replaced),
		cmocka_unit_test(double_word_replaced),
		cmocka_unit_test(every_sum_folded),
		cmocka_unit_test(carries_twice),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(ttl_and_destination),
		cmocka_unit_test(bytes_summed),
		cmocka_unit_test(header_checked),
		cmocka_unit_test(large_sums_folded),
	};

	return RUN("checksum", tests);
}
