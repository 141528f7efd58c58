/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * wire.h - a heartbeat on the wire: version 1
 *
 * A UDP datagram in which `bkd run` says how its host and some of its services
 * are. Numbers are unsigned, of fixed width and in network byte order. An
 * address has 16 bytes, IPv4 as ::ffff:a.b.c.d.
 *
 *   offset  bytes
 *        0      4  "L3HB"
 *        4      1  version: 1
 *        5      1  zero
 *        6      2  length of the datagram, in bytes
 *        8      8  instance: random, drawn when `bkd run` begins, never 0
 *       16      8  sequence: of this instance, from 1, one more each datagram
 *       24      8  time: the sender's clock, microseconds since 1970 (UTC)
 *       32     16  host: an address of the sender that its key is for
 *       48     32  digest of the file that runs there
 *       80      4  interval: milliseconds to the next heartbeat
 *       84      4  flows: TCP connections of all its services
 *       88      4  moved: of these, those that need the transition
 *       92      2  CPU: how busy since the last heartbeat, per mille
 *       94      2  count of services that follow: 0 to 13
 *       96  80 each  services
 *     then     32  HMAC-SHA-256 (RFC 2104) with the host's key, of all before
 *
 *   a service:
 *        0     16  VIP
 *       16     16  backend: the host's address in the file
 *       32      2  port; 0: any
 *       34      1  protocol: 6 or 17
 *       35      1  state: enum heartbeat_state
 *       36      4  flows
 *       40      4  moved
 *       44      4  zero
 *       48     32  why it is not good: printable ASCII, padded with zeros
 *
 * Services that do not fit go in further datagrams, at most 1232 bytes each:
 * then none is cut on the way, over IPv6's least MTU either. Another layout has
 * another version; a receiver refuses all but its own.
 *
 * Laws: parse(build(h)) is h; of each datagram that parses, every bit is
 * covered by the HMAC, and none that differs in a bit parses.
 */
#pragma once

#include <stddef.h>

#include "common/core/abi_services.h"

#define HEARTBEAT_MOST	   1232
#define HEARTBEAT_LEAST	   (96 + 32)
#define HEARTBEAT_SERVICES 13 /* in one datagram */
#define HEARTBEAT_WHY	   32 /* with no NUL at its end, if it is full */
#define HEARTBEAT_KEY	   32 /* bytes */

enum heartbeat_state {
	HEARTBEAT_UNKNOWN, /* no check has said anything yet */
	HEARTBEAT_GOOD,
	HEARTBEAT_BAD,
	HEARTBEAT_STATES,
};

/* In the host's byte order, but for the port. */
struct heartbeat_service {
	struct service_key key; /* .zero is 0 */
	struct addr backend;
	__u8 state; /* enum heartbeat_state */
	__u32 flows, moved;
	char why[HEARTBEAT_WHY + 1];
};

struct heartbeat {
	__u64 instance, sequence, time;
	struct addr host;
	__u8 digest[32];
	__u32 interval, flows, moved;
	__u16 cpu, count;
	struct heartbeat_service services[HEARTBEAT_SERVICES];
};

/* What becomes of a datagram: HEARTBEAT_##NAME, its word, what it means. */
/* clang-format off */
#define HEARTBEAT_WORDS(X)                                                     \
	X(ACCEPTED, "accepted", "it was taken")                                \
	X(TOO_LARGE, "too-large", "more than 1232 bytes")                      \
	X(TRUNCATED, "truncated", "shorter than it says, or than any")         \
	X(FOREIGN, "foreign", "no heartbeat")                                  \
	X(VERSION, "version", "of another version")                            \
	X(STRANGER, "stranger", "the file of keys has none for its host")      \
	X(FORGED, "wrong-key", "not made with the key of its host")            \
	X(MALFORMED, "malformed", "made with the key, but not as version 1")   \
	X(REPEATED, "repeated", "it came by the other group, too")             \
	X(REPLAYED, "replayed", "it, or a later one, was here before")         \
	X(CLOCK, "wrong-clock", "its clock differs by more than heartbeat-clock")
/* clang-format on */
enum heartbeat_word {
#define HEARTBEAT_NUMBER(NAME, word, what) HEARTBEAT_##NAME,
	HEARTBEAT_WORDS(HEARTBEAT_NUMBER)
#undef HEARTBEAT_NUMBER
		HEARTBEAT_WORD_COUNT,
};
const char *heartbeat_word(enum heartbeat_word word);

/*
 * Writes the datagram; `datagram` holds HEARTBEAT_MOST. Returns its length, or
 * 0 without memory (OpenSSL's).
 */
size_t heartbeat_build(const struct heartbeat *heartbeat,
		       const __u8 key[HEARTBEAT_KEY], __u8 *datagram);
/*
 * Whose key it needs. HEARTBEAT_ACCEPTED: *host is filled in, and not believed
 * yet; else why it is none. Reads no byte from `length` on.
 */
enum heartbeat_word heartbeat_host(const __u8 *datagram, size_t length,
				   struct addr *host);
/*
 * What it says, of one that heartbeat_host() took. HEARTBEAT_ACCEPTED: it was
 * made with this key; *heartbeat is filled in. FORGED, or MALFORMED.
 */
enum heartbeat_word heartbeat_parse(const __u8 *datagram, size_t length,
				    const __u8 key[HEARTBEAT_KEY],
				    struct heartbeat *heartbeat);
