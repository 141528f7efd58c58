// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hash of a flow: the same everywhere (golden values, see golden.py),
 * uniform over consecutive flows, and sensitive to every bit.
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "common/core/hash.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define FLOWS 65536

static struct addr address(const char *text)
{
	struct addr addr;
	__be32 v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		addr_set_v4(&addr, v4);
	else
		assert_int_equal(inet_pton(AF_INET6, text, &addr), 1);
	return addr;
}

static struct packet flow(__u8 protocol, const char *source, __u16 source_port,
			  const char *destination, __u16 port)
{
	return (struct packet){
		.protocol = protocol,
		.source = address(source),
		.source_port = bpf_htons(source_port),
		.destination = address(destination),
		.port = bpf_htons(port),
	};
}

static uint32_t hash_flow(const struct packet *packet)
{
	return hash_packet(packet) >> 32;
}

static void golden(void **unused)
{
	static const struct {
		__u8 protocol;
		const char *source;
		__u16 source_port;
		const char *destination;
		__u16 port;
		__u32 hash;
	} rows[] = {
		{6, "192.0.2.1", 40000, "198.51.100.7", 80, 0x506531c0},
		{17, "192.0.2.1", 40000, "198.51.100.7", 80, 0x2a65743b},
		{6, "192.0.2.1", 40001, "198.51.100.7", 80, 0x739654b0},
		{6, "198.51.100.7", 80, "192.0.2.1", 40000, 0x283bad57},
		{6, "2001:db8::1", 40000, "2001:db8::7", 443, 0x8aecb49f},
		{17, "2001:db8:ffff:1:2:3:4:5", 65535, "2001:db8::7", 53,
		 0xa9629245},
		{6, "0.0.0.0", 0, "255.255.255.255", 65535, 0x6fa8c3c1},
		{0, "::", 0, "::", 0, 0x3b956b26},
	};
	size_t i;

	(void)unused;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet packet = flow(rows[i].protocol, rows[i].source,
					    rows[i].source_port,
					    rows[i].destination, rows[i].port);

		assert_int_equal(hash_flow(&packet), rows[i].hash);
	}
}

/* Only the tuple counts: all packets of a flow fall on one slot. */
static void only_the_tuple_counts(void **unused)
{
	struct packet a = flow(6, "192.0.2.1", 1, "192.0.2.2", 2), b = a;

	(void)unused;
	b.flags = PACKET_SYN;
	b.ttl = 7;
	b.length = 1500;
	b.l4_offset = 24;
	assert_int_equal(hash_flow(&a), hash_flow(&b));
}

static void slots_are_in_bounds(void **unused)
{
	static const __u32 sizes[] = {1, 2, 3, 7, 65537, 1000003};
	uint64_t state = 1;
	size_t i;
	int n;

	(void)unused;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(hash_slot(0, sizes[i]), 0);
		assert_int_equal(hash_slot(0xffffffff, sizes[i]), sizes[i] - 1);
		for (n = 0; n < 100000; n++)
			assert_true(hash_slot(draw(&state), sizes[i]) <
				    sizes[i]);
	}
}

enum walk { PORTS, ADDRESSES, BOTH, NETWORKS, WALKS };

/* The n-th of consecutive flows. */
static struct packet walk_flow(enum walk walk, bool is_ipv6, __u32 n)
{
	struct packet packet =
		is_ipv6 ? flow(6, "2001:db8:1:2::", 1024, "2001:db8::7", 443)
			: flow(6, "10.20.0.0", 1024, "192.168.25.10", 80);
	__u32 host = bpf_ntohl(packet.source.w[3]);

	if (walk == PORTS)
		packet.source_port = bpf_htons((__u16)n);
	if (walk == ADDRESSES)
		packet.source.w[3] = bpf_htonl(host + n);
	if (walk == BOTH) {
		packet.source.w[3] = bpf_htonl(host + n / 256);
		packet.source_port = bpf_htons((__u16)(32768 + n % 256));
	}
	if (walk == NETWORKS)
		packet.source.w[is_ipv6 ? 1 : 3] = bpf_htonl(n << 16);
	return packet;
}

/*
 * Pearson's chi squared over `size` slots: how many standard deviations above
 * the chance value, squared. More uniform than chance is no fault.
 */
static double unevenness(enum walk walk, bool is_ipv6, __u32 size)
{
	static __u32 hits[65537];
	double expected = (double)FLOWS / size, sum = 0;
	__u32 n;

	memset(hits, 0, sizeof(hits));
	for (n = 0; n < FLOWS; n++) {
		struct packet packet = walk_flow(walk, is_ipv6, n);

		hits[hash_slot(hash_flow(&packet), size)]++;
	}
	for (n = 0; n < size; n++)
		sum += (hits[n] - expected) * (hits[n] - expected) / expected;
	sum -= size - 1;
	return sum < 0 ? 0 : sum * sum / (2.0 * (size - 1));
}

static void neighbours_spread_evenly(void **unused)
{
	static const __u32 sizes[] = {2, 10, 64, 251, 4099, 65537};
	enum walk walk;
	int is_ipv6;
	size_t i;

	(void)unused;
	for (walk = PORTS; walk < WALKS; walk++)
		for (is_ipv6 = 0; is_ipv6 < 2; is_ipv6++)
			for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
				double by = unevenness(walk, is_ipv6, sizes[i]);

				if (by > 5 * 5)
					fail_msg("walk %d, v6 %d, %u slots: "
						 "%.1f",
						 walk, is_ipv6, sizes[i], by);
			}
}

/* The bits of the client, numbered. */
#define BITS (128 + 16 + 16)
static void flip(struct packet *packet, int bit)
{
	if (bit < 128)
		packet->source.w[bit / 32] ^= bpf_htonl(1u << bit % 32);
	else if (bit < 144)
		packet->source_port ^= bpf_htons((__u16)(1u << (bit - 128)));
	else
		packet->port ^= bpf_htons((__u16)(1u << (bit - 144)));
}

static void random_packet(uint64_t *state, struct packet *packet)
{
	__u64 words[5];
	size_t i;

	for (i = 0; i < 5; i++)
		words[i] = draw(state);
	memset(packet, 0, sizeof(*packet));
	packet->protocol = words[4] & 1 ? IPPROTO_TCP : IPPROTO_UDP;
	memcpy(&packet->source, words, 16);
	memcpy(&packet->destination, words + 2, 16);
	memcpy(&packet->source_port, (__u8 *)&words[4] + 2, 2);
	memcpy(&packet->port, (__u8 *)&words[4] + 4, 2);
}

/*
 * Each bit of the client flips each bit of the hash about every second time.
 * (The VIP has fewer rounds behind it, but there are few VIPs, and a service's
 * flows all have the same.)
 */
static void every_bit_counts(void **unused)
{
	enum { TRIES = 4096 };
	static int flips[BITS][32];
	uint64_t state = 2;
	int i, bit, out;

	(void)unused;
	for (i = 0; i < TRIES; i++) {
		struct packet packet;
		__u32 hash;

		random_packet(&state, &packet);
		hash = hash_flow(&packet);
		for (bit = 0; bit < BITS; bit++) {
			struct packet other = packet;
			__u32 changed;

			flip(&other, bit);
			changed = hash ^ hash_flow(&other);
			for (out = 0; out < 32; out++)
				flips[bit][out] += changed >> out & 1;
		}
	}
	for (bit = 0; bit < BITS; bit++)
		for (out = 0; out < 32; out++)
			if (flips[bit][out] < TRIES * 2 / 5 ||
			    flips[bit][out] > TRIES * 3 / 5)
				fail_msg("bit %d flips bit %d of the hash %d "
					 "of %d times",
					 bit, out, flips[bit][out], TRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(only_the_tuple_counts),
		cmocka_unit_test(slots_are_in_bounds),
		cmocka_unit_test(neighbours_spread_evenly),
		cmocka_unit_test(every_bit_counts),
	};

	return RUN("hash", tests);
}
