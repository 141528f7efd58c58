/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oracle.h - what the tests hold the core against
 *
 * Nothing here includes or resembles the core: sums are taken byte by byte in
 * wire order and from scratch.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SplitMix64: the same numbers in every run and on every machine. */
static inline uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/* A number from 0 to limit - 1. */
static inline uint32_t draw_below(uint64_t *state, uint32_t limit)
{
	return (draw(state) >> 32) * limit >> 32;
}

/* A 16-bit word; one in four is near where sums carry. */
static inline uint16_t draw_word(uint64_t *state)
{
	static const uint16_t edges[] = {0x0000, 0x0001, 0x00ff, 0x0100,
					 0x7fff, 0x8000, 0xfffe, 0xffff};
	uint64_t random = draw(state);

	return random % 4 ? random >> 32 : edges[random >> 32 & 7];
}

static inline void draw_bytes(uint64_t *state, uint8_t *bytes, size_t length)
{
	size_t i;

	for (i = 0; i + 1 < length; i += 2) {
		uint16_t word = draw_word(state);

		bytes[i] = word >> 8;
		bytes[i + 1] = word;
	}
	if (length % 2)
		bytes[length - 1] = draw(state);
}

/* RFC 1071: the one's complement sum, added to `sum`. */
static inline uint16_t sum_of(const uint8_t *bytes, size_t length, uint16_t sum)
{
	uint64_t total = sum;
	size_t i;

	for (i = 0; i < length; i++)
		total += i % 2 ? bytes[i] : (uint64_t)bytes[i] << 8;
	while (total > 0xffff)
		total = total % 0x10000 + total / 0x10000;
	return total;
}

/* The sum of an IPv6 pseudo header (RFC 8200 8.1) over 40 bytes of header. */
static inline uint16_t sum_of_pseudo_header(const uint8_t *ipv6,
					    uint8_t protocol, uint32_t length)
{
	uint8_t tail[8] = {
		length >> 24, length >> 16, length >> 8, length, 0, 0, 0,
		protocol};

	return sum_of(tail, sizeof(tail), sum_of(ipv6 + 8, 32, 0));
}
