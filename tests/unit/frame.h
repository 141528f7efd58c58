/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.h - frames for the tests, written down or drawn at random
 *
 * A frame lies in memory of exactly its size, so that the sanitizer sees the
 * first byte read behind it, and 14 bytes before a multiple of four, so that
 * the headers in it are aligned as they are in the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define FRAME_SHIFT 2

struct frame {
	uint8_t *bytes;
	size_t length;
};

static inline struct frame frame_copy(const uint8_t *bytes, size_t length)
{
	uint8_t *memory = malloc(length + FRAME_SHIFT);

	assert_non_null(memory);
	memcpy(memory + FRAME_SHIFT, bytes, length);
	return (struct frame){memory + FRAME_SHIFT, length};
}

static inline void frame_free(struct frame frame)
{
	free(frame.bytes - FRAME_SHIFT);
}

static inline void put_word(uint8_t *bytes, uint16_t word)
{
	bytes[0] = word >> 8;
	bytes[1] = word & 0xff;
}

/* Fills in an IPv4 header's checksum, from scratch. */
static inline void put_ipv4_checksum(uint8_t *ip)
{
	put_word(ip + 10, 0);
	put_word(ip + 10, ~sum_of(ip, (ip[0] & 15) * 4, 0));
}

static inline bool ipv4_checksum_is_true(const uint8_t *ip)
{
	return sum_of(ip, (ip[0] & 15) * 4, 0) == 0xffff;
}

enum { HOP_BY_HOP = 0, TCP = 6, UDP = 17, ROUTING = 43, FRAGMENT = 44 };
enum { ICMP = 1, ICMPV6 = 58, DESTINATION_OPTIONS = 60 };

/* A random frame that packet_parse() accepts, and where its parts are. */
struct random_frame {
	struct frame frame;
	bool is_ipv6;
	uint8_t protocol;
	size_t l4; /* offset in the frame */
};

/* One to three extension headers at `at`; what follows them is `protocol`. */
static inline size_t draw_extensions(uint64_t *state, uint8_t *at,
				     uint8_t *next, uint8_t protocol)
{
	static const uint8_t kinds[] = {HOP_BY_HOP, DESTINATION_OPTIONS,
					ROUTING, FRAGMENT};
	size_t length = 0, count = draw_below(state, 4);

	while (count--) {
		uint8_t *header = at + length;
		size_t units = draw_below(state, 3);

		*next = kinds[draw_below(state, 4)];
		draw_bytes(state, header, 8 * (units + 1));
		if (*next == FRAGMENT) { /* an atomic fragment */
			units = 0;
			put_word(header + 2, 0);
		}
		header[1] = units;
		if (*next == ROUTING)
			header[3] = 0; /* segments left */
		next = header;
		length += 8 * (units + 1);
	}
	*next = protocol;
	return length;
}

/* Bytes of transport header and payload at `at`; ICMP is an echo request. */
static inline size_t draw_transport(uint64_t *state, uint8_t *at,
				    uint8_t protocol)
{
	size_t length = draw_below(state, 64) + (protocol == TCP ? 60 : 8);

	draw_bytes(state, at, length);
	if (protocol == TCP)
		at[12] = (5 + draw_below(state, 11)) << 4;
	if (protocol == UDP)
		put_word(at + 4, length);
	if (protocol == ICMP || protocol == ICMPV6)
		put_word(at, protocol == ICMP ? 8 << 8 : 128 << 8);
	return length;
}

static inline size_t draw_ipv4(uint64_t *state, struct random_frame *random,
			       uint8_t *frame)
{
	size_t header = 4 * (5 + draw_below(state, 11)), length;
	uint8_t *ip = frame + 14;

	put_word(frame + 12, 0x0800);
	draw_bytes(state, ip, header);
	random->l4 = 14 + header;
	length = draw_transport(state, ip + header, random->protocol);
	ip[0] = 0x40 | header / 4;
	put_word(ip + 2, header + length);
	put_word(ip + 6, draw(state) & 0x4000); /* don't fragment */
	ip[9] = random->protocol;
	put_ipv4_checksum(ip);
	if (random->protocol == ICMP) {
		put_word(ip + header + 2, 0);
		put_word(ip + header + 2, ~sum_of(ip + header, length, 0));
	}
	return random->l4 + length;
}

static inline size_t draw_ipv6(uint64_t *state, struct random_frame *random,
			       uint8_t *frame)
{
	uint8_t *ip = frame + 14, *l4;
	size_t header, length;
	uint16_t sum;

	put_word(frame + 12, 0x86dd);
	draw_bytes(state, ip, 40);
	header = 40 + draw_extensions(state, ip + 40, ip + 6, random->protocol);
	random->l4 = 14 + header;
	l4 = ip + header;
	length = draw_transport(state, l4, random->protocol);
	ip[0] = 0x60 | (ip[0] & 15);
	put_word(ip + 4, header - 40 + length);
	if (random->protocol == ICMPV6) {
		put_word(l4 + 2, 0);
		sum = sum_of_pseudo_header(ip, ICMPV6, length);
		put_word(l4 + 2, ~sum_of(l4, length, sum));
	}
	return random->l4 + length;
}

/* Its IPv4 header checksum, and ICMP's, are correct; the others are random. */
static inline struct random_frame draw_frame(uint64_t *state)
{
	struct random_frame random = {.is_ipv6 = draw(state) & 1};
	uint8_t frame[512];
	size_t length;

	random.protocol = (const uint8_t[]){
		TCP, UDP, random.is_ipv6 ? ICMPV6 : ICMP}[draw_below(state, 3)];
	draw_bytes(state, frame, 12);
	length = random.is_ipv6 ? draw_ipv6(state, &random, frame)
				: draw_ipv4(state, &random, frame);
	random.frame = frame_copy(frame, length);
	return random;
}
