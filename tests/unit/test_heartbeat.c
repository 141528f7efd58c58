// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_heartbeat.c - heartbeats on the wire, and what a receiver remembers
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/address.h"
#include "common/core/inline.h"
#include "common/heartbeat/memory.h"
#include "common/heartbeat/wire.h"
#include "tests/unit/unit.h"

static const __u8 key[HEARTBEAT_KEY] = "a key that nobody else has seen";

static void draw(void *bytes, size_t size)
{
	__u8 *to = bytes;

	while (size--)
		*to++ = (__u8)(random() >> 7);
}

/* Any heartbeat that a sender may send; all bytes of it are set. */
static void draw_heartbeat(struct heartbeat *heartbeat)
{
	struct heartbeat_service *service;
	size_t i, j, length;

	memset(heartbeat, 0, sizeof(*heartbeat));
	draw(&heartbeat->instance, sizeof(heartbeat->instance));
	heartbeat->instance |= 1;
	heartbeat->sequence = 1 + (__u64)random();
	draw(&heartbeat->time, sizeof(heartbeat->time));
	draw(&heartbeat->host, sizeof(heartbeat->host));
	draw(heartbeat->digest, sizeof(heartbeat->digest));
	draw(&heartbeat->interval, 3 * sizeof(__u32));
	draw(&heartbeat->cpu, sizeof(heartbeat->cpu));
	heartbeat->count = (__u16)(random() % (HEARTBEAT_SERVICES + 1));
	for (i = 0; i < heartbeat->count; i++) {
		service = &heartbeat->services[i];
		draw(&service->key.vip, sizeof(service->key.vip));
		draw(&service->key.port, sizeof(service->key.port));
		service->key.protocol =
			random() % 2 ? IPPROTO_TCP : IPPROTO_UDP;
		draw(&service->backend, sizeof(service->backend));
		service->state = (__u8)(random() % HEARTBEAT_STATES);
		draw(&service->flows, 2 * sizeof(__u32));
		length = (size_t)random() % (HEARTBEAT_WHY + 1);
		for (j = 0; j < length; j++)
			service->why[j] = (char)(' ' + random() % 95);
	}
}

static enum heartbeat_word parse(const __u8 *datagram, size_t length,
				 struct heartbeat *heartbeat)
{
	struct addr host;
	enum heartbeat_word word = heartbeat_host(datagram, length, &host);

	return word == HEARTBEAT_ACCEPTED
		       ? heartbeat_parse(datagram, length, key, heartbeat)
		       : word;
}

static void what_is_built_is_parsed(void **state)
{
	struct heartbeat from, to;
	__u8 datagram[HEARTBEAT_MOST], *exact;
	size_t length, round;

	(void)state;
	for (round = 0; round < 2000; round++) {
		draw_heartbeat(&from);
		length = heartbeat_build(&from, key, datagram);
		assert_int_equal(length, 128 + 80 * from.count);
		/* Not a byte behind it is read: the sanitizer would say so. */
		exact = malloc(length);
		memcpy(exact, datagram, length);
		memset(&to, 0, sizeof(to));
		assert_int_equal(parse(exact, length, &to), HEARTBEAT_ACCEPTED);
		assert_memory_equal(&from, &to, sizeof(from));
		free(exact);
	}
}

/* HMAC-SHA-256 of all but the end, by Python's hmac. */
static void known_bytes(void **state)
{
	static const __u8 mac[8] = {0x82, 0x83, 0xb0, 0x1c,
				    0xbc, 0xf3, 0x54, 0x28};
	struct heartbeat heartbeat = {
		.instance = 0x0102030405060708,
		.sequence = 9,
		.time = 1700000000000000,
		.interval = 5000,
		.cpu = 250,
		.count = 1,
		.services = {{.key = {.port = bpf_htons(80),
				      .protocol = IPPROTO_TCP},
			      .state = HEARTBEAT_BAD,
			      .flows = 7,
			      .moved = 1,
			      .why = "status 503"}},
	};
	static const __u8 head[] = {'L', '3', 'H', 'B', 1, 0, 0, 208,
				    1,	 2,   3,   4,	5, 6, 7, 8,
				    0,	 0,   0,   0,	0, 0, 0, 9};
	__u8 datagram[HEARTBEAT_MOST];

	(void)state;
	addr_parse("192.0.2.1", &heartbeat.host);
	addr_parse("198.51.100.1", &heartbeat.services[0].key.vip);
	heartbeat.services[0].backend = heartbeat.host;
	assert_int_equal(heartbeat_build(&heartbeat, key, datagram), 208);
	assert_memory_equal(datagram, head, sizeof(head));
	assert_memory_equal(datagram + 42, "\xff\xff\xc0\x00\x02\x01", 6);
	assert_memory_equal(datagram + 96 + 32, "\0\x50\6\2\0\0\0\7\0\0\0\1",
			    12);
	assert_memory_equal(datagram + 96 + 48, "status 503", 11);
	assert_memory_equal(datagram + 176, mac, sizeof(mac));
}

/* Every bit of it, and every length, is covered. */
static void no_other_bit(void **state)
{
	__u8 datagram[HEARTBEAT_MOST + 1];
	struct heartbeat from, to;
	enum heartbeat_word word;
	size_t length, i;

	(void)state;
	draw_heartbeat(&from);
	length = heartbeat_build(&from, key, datagram);
	for (i = 0; i < length * 8; i++) {
		datagram[i / 8] ^= (__u8)(1 << i % 8);
		word = parse(datagram, length, &to);
		assert_int_equal(word, i < 32		   ? HEARTBEAT_FOREIGN
				       : i < 40		   ? HEARTBEAT_VERSION
				       : i >= 48 && i < 64 ? HEARTBEAT_TRUNCATED
							   : HEARTBEAT_FORGED);
		datagram[i / 8] ^= (__u8)(1 << i % 8);
	}
	for (i = 0; i < length; i++)
		assert_int_equal(parse(datagram, i, &to),
				 i < 4 ? HEARTBEAT_FOREIGN
				       : HEARTBEAT_TRUNCATED);
	assert_int_equal(parse(datagram, length + 1, &to),
			 length + 1 > HEARTBEAT_MOST ? HEARTBEAT_TOO_LARGE
						     : HEARTBEAT_TRUNCATED);
	assert_int_equal(parse(datagram, HEARTBEAT_MOST + 1, &to),
			 HEARTBEAT_TOO_LARGE);
	/* The other key. */
	assert_int_equal(heartbeat_parse(datagram, length, key + 0, &to),
			 HEARTBEAT_ACCEPTED);
	assert_int_equal(heartbeat_parse(datagram, length,
					 (const __u8 *)"another key of the "
						       "same length, 32",
					 &to),
			 HEARTBEAT_FORGED);
}

/* Made with the key, by another program: fields that no sender writes. */
static void malformed(void **state)
{
	struct heartbeat heartbeat, to;
	__u8 datagram[HEARTBEAT_MOST];
	size_t length;

	(void)state;
#define REFUSED(change)                                                        \
	do {                                                                   \
		draw_heartbeat(&heartbeat);                                    \
		heartbeat.count = 1;                                           \
		heartbeat.services[0].key.protocol = IPPROTO_TCP;              \
		change;                                                        \
		length = heartbeat_build(&heartbeat, key, datagram);           \
		assert_int_equal(parse(datagram, length, &to),                 \
				 HEARTBEAT_MALFORMED);                         \
	} while (0)
	REFUSED(heartbeat.instance = 0);
	REFUSED(heartbeat.sequence = 0);
	REFUSED(heartbeat.services[0].key.protocol = IPPROTO_ICMP);
	REFUSED(heartbeat.services[0].state = HEARTBEAT_STATES);
	REFUSED(strcpy(heartbeat.services[0].why, "a\nb"));
	REFUSED(strcpy(heartbeat.services[0].why, "\x1b[2J"));
	REFUSED(strcpy(heartbeat.services[0].why, "\x80"));
}

#define SECOND 1000000ULL
#define WINDOW (30 * SECOND)
#define NOW    (1000000 * SECOND)

static enum heartbeat_word remember(struct heartbeat_memory *memory,
				    __u64 instance, __u64 sequence, __u64 time,
				    bool ipv6, __u64 now)
{
	const struct heartbeat heartbeat = {
		.instance = instance, .sequence = sequence, .time = time};

	return heartbeat_remember(memory, &heartbeat, ipv6, now, WINDOW);
}

struct step {
	__u64 instance, sequence;
	long time, now; /* seconds after NOW */
	bool ipv6;
	enum heartbeat_word word;
};

static void steps(const struct step *step, size_t count)
{
	struct heartbeat_memory memory = {0};
	size_t i;

	for (i = 0; i < count; i++, step++)
		if (remember(&memory, step->instance, step->sequence,
			     NOW + step->time * SECOND, step->ipv6,
			     NOW + step->now * SECOND) != step->word)
			fail_msg("step %zu", i);
}
#define STEPS(table) steps(table, sizeof(table) / sizeof(table[0]))

static void what_was_here(void **state)
{
	static const struct step once[] = {
		{7, 1, 0, 0, 0, HEARTBEAT_ACCEPTED},
		{7, 1, 0, 1, 0, HEARTBEAT_REPLAYED},
		{7, 1, 0, 1, 1, HEARTBEAT_REPEATED},
		{7, 1, 0, 1, 1, HEARTBEAT_REPLAYED},
		/* The other group's is late, or the first. */
		{7, 3, 5, 5, 1, HEARTBEAT_ACCEPTED},
		{7, 2, 5, 5, 0, HEARTBEAT_ACCEPTED},
		{7, 3, 5, 5, 0, HEARTBEAT_REPEATED},
		{7, 2, 5, 5, 1, HEARTBEAT_REPEATED},
		/* 64 behind. */
		{7, 100, 9, 9, 0, HEARTBEAT_ACCEPTED},
		{7, 37, 9, 9, 0, HEARTBEAT_ACCEPTED},
		{7, 36, 9, 9, 0, HEARTBEAT_REPLAYED},
	};
	static const struct step runs[] = {
		{7, 500, 0, 0, 0, HEARTBEAT_ACCEPTED},
		/* bkd run begins again. */
		{8, 1, 5, 5, 0, HEARTBEAT_ACCEPTED},
		{7, 501, 6, 6, 0, HEARTBEAT_REPLAYED},
		/* One that was recorded before, while nobody listened. */
		{9, 4, 4, 6, 0, HEARTBEAT_REPLAYED},
		{8, 2, 10, 10, 0, HEARTBEAT_ACCEPTED},
		{10, 1, 40, 11, 0, HEARTBEAT_ACCEPTED},
		{11, 1, 42, 11, 0, HEARTBEAT_CLOCK},
	};

	(void)state;
	STEPS(once);
	STEPS(runs);
}

static void clocks(void **state)
{
	static const struct step steps_of[] = {
		{7, 1, 0, 0, 0, HEARTBEAT_ACCEPTED},
		/* Set back by an hour while it runs, and mended. */
		{7, 2, -3600, 5, 0, HEARTBEAT_CLOCK},
		{7, 2, -3600, 5, 0, HEARTBEAT_REPLAYED},
		{7, 3, -3595, 10, 0, HEARTBEAT_CLOCK},
		{7, 4, 15, 15, 0, HEARTBEAT_ACCEPTED},
		/* Wrong from its beginning; then mended. */
		{8, 1, -7200, 20, 0, HEARTBEAT_CLOCK},
		{8, 2, -7195, 25, 0, HEARTBEAT_CLOCK},
		{8, 2, -7195, 26, 0, HEARTBEAT_REPLAYED},
		{8, 3, 30, 30, 0, HEARTBEAT_ACCEPTED},
		{8, 4, 31, 31, 0, HEARTBEAT_ACCEPTED},
		/* Recordings count once, and only forwards. */
		{90, 1, -900, 40, 0, HEARTBEAT_CLOCK},
		{91, 1, -1000, 40, 0, HEARTBEAT_REPLAYED},
		{91, 2, -800, 40, 0, HEARTBEAT_CLOCK},
		{90, 2, -850, 40, 0, HEARTBEAT_REPLAYED},
		{8, 5, 41, 41, 0, HEARTBEAT_ACCEPTED},
		/* The edges of the window. */
		{8, 6, 80, 50, 0, HEARTBEAT_ACCEPTED},
		{8, 7, 20, 50, 0, HEARTBEAT_ACCEPTED},
		{8, 8, 81, 50, 0, HEARTBEAT_CLOCK},
		{8, 9, 19, 50, 0, HEARTBEAT_CLOCK},
		/* Our own clock is set back. */
		{8, 10, 60, 60, 0, HEARTBEAT_ACCEPTED},
		{8, 11, 65, -3600, 0, HEARTBEAT_CLOCK},
		{12, 1, -3590, -3590, 0, HEARTBEAT_ACCEPTED},
	};

	(void)state;
	STEPS(steps_of);
}

/* Whatever comes, in whatever order: nothing is taken twice. */
static void nothing_twice(void **state)
{
	struct heartbeat_memory memory = {0}, before;
	bool taken[4][64] = {{0}};
	enum heartbeat_word word;
	size_t i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		int run = (int)(random() % 4), sequence = (int)(random() % 64);

		before = memory;
		word = remember(&memory, 1 + (__u64)run, 1 + (__u64)sequence,
				NOW + (__u64)(run * 64 + sequence) * 1000,
				random() % 2, NOW);
		if (word == HEARTBEAT_REPLAYED)
			assert_memory_equal(&before, &memory, sizeof(memory));
		if (word != HEARTBEAT_ACCEPTED)
			continue;
		assert_false(taken[run][sequence]);
		taken[run][sequence] = true;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_parsed),
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(no_other_bit),
		cmocka_unit_test(malformed),
		cmocka_unit_test(what_was_here),
		cmocka_unit_test(clocks),
		cmocka_unit_test(nothing_twice),
	};

	return RUN("heartbeats", tests);
}
