/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * reading.h - a frame, read by walking its bytes, with nothing of common/core
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUIRE(condition)                                                     \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#condition);                                   \
			abort();                                               \
		}                                                              \
	} while (0)

#define L3 14

/* The original frame, and a copy of exactly its size that may be written to. */
struct copy {
	const uint8_t *before;
	uint8_t *now;
	size_t length;
};

/* What the oracle finds in a frame. */
struct reading {
	bool is_ipv6;
	uint8_t protocol;
	bool is_later; /* a fragment, but not the first */
	size_t l4;     /* offset in the frame */
	size_t end;    /* of the packet, or of the frame if that is shorter */
};

static inline size_t word(const uint8_t *bytes)
{
	return (size_t)bytes[0] << 8 | bytes[1];
}

/* For a frame that was accepted, so every header is present. */
static inline struct reading read_frame(const uint8_t *frame, size_t length)
{
	struct reading r = {.is_ipv6 = word(frame + 12) == 0x86dd};
	size_t size, at = L3 + 40;
	uint8_t next = frame[L3 + 6];

	if (!r.is_ipv6) {
		REQUIRE(word(frame + 12) == 0x0800);
		r.protocol = frame[L3 + 9];
		r.l4 = L3 + (frame[L3] & 15) * 4;
		r.end = L3 + word(frame + L3 + 2);
		r.is_later = word(frame + L3 + 6) & 0x1fff;
	} else {
		while (next == 0 || next == 43 || next == 44 || next == 60) {
			REQUIRE(at + 8 <= length);
			REQUIRE(next != 43 || frame[at + 3] == 0);
			r.is_later =
				next == 44 && (word(frame + at + 2) & 0xfff8);
			size = next == 44 ? 8 : 8 + 8 * frame[at + 1];
			next = frame[at];
			at += size;
			if (r.is_later)
				break;
		}
		r.protocol = next;
		r.l4 = at;
		r.end = L3 + 40 + word(frame + L3 + 4);
	}
	REQUIRE(r.end >= r.l4);
	if (r.end > length)
		r.end = length;
	return r;
}
