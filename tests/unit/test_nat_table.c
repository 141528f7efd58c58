// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of translated flows, with the flows of several threads: no two have
 * one port, each is found from both sides, and a row is taken only when its
 * port has rested.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/nat_table.h"
#include "tests/unit/oracle.h"
#include "tests/unit/unit.h"

#define ROWS	65536
#define BUCKETS (2 * ROWS / NAT_PER_BUCKET)

static struct nat_row rows[ROWS];
static struct nat_bucket buckets[BUCKETS];
static const struct nat_times times = {.second = 100, .udp_idle = 6000};
static struct nat_source source = {.first = 1024, .count = 64512};
static struct addr backend;

static struct nat_row *nat_row_at(__u32 number)
{
	return number < ROWS ? &rows[number] : NULL;
}

static struct nat_bucket *nat_bucket_at(__u32 number)
{
	return number < BUCKETS ? &buckets[number] : NULL;
}

static const struct nat_source *nat_source_at(__u32 index)
{
	return index ? NULL : &source;
}

#include "common/core/nat_begin.h"

static int setup(void **unused)
{
	(void)unused;
	memset(rows, 0, sizeof(rows));
	memset(buckets, 0, sizeof(buckets));
	addr_set_v4(&source.address, bpf_htonl(0x0a000009));
	addr_set_v4(&backend, bpf_htonl(0x0a000002));
	return 0;
}

/* The packet of a client. */
static struct packet packet_of(__u32 client, __u16 port)
{
	struct packet packet = {.protocol = IPPROTO_TCP,
				.flags = PACKET_SYN,
				.source_port = bpf_htons(port),
				.port = bpf_htons(8080)};

	addr_set_v4(&packet.source, bpf_htonl(client));
	addr_set_v4(&packet.destination, bpf_htonl(0x0a00000a));
	return packet;
}

static __u64 hash_of(const struct packet *packet)
{
	return hash_packet(packet) * 0x9e3779b97f4a7c15ULL | 1;
}

static __s64 begin(const struct packet *packet, __u64 now)
{
	struct nat_flow flow = {.backend = {.id = 5, .address = backend},
				.service = 7,
				.backend_port = packet->port,
				.sources = 1,
				.hash = hash_of(packet)};

	return nat_begin(&flow, packet, &times, ROWS, BUCKETS, now);
}

static __s64 find(const struct packet *packet, __u64 now)
{
	return nat_find(packet, hash_of(packet), &times, BUCKETS, now);
}

/* The backend's answer, to the row's port. */
static struct packet answer_to(const struct nat_row *row)
{
	struct packet packet = {.protocol = IPPROTO_TCP,
				.source = backend,
				.destination = source.address,
				.source_port = row->backend_port,
				.port = row->port};

	return packet;
}

static void found_from_both_sides(void **unused)
{
	struct packet packet = packet_of(0x0a000001, 40000), other, answer;
	__s64 row = begin(&packet, 1000);

	(void)unused;
	assert_true(row >= 0);
	assert_int_equal(find(&packet, 1000), row);
	answer = answer_to(&rows[row]);
	assert_int_equal(nat_find_reply(&answer, ROWS), row);
	/* Each end, port and protocol counts. */
	other = packet_of(0x0a000004, 40000);
	assert_int_equal(find(&other, 1000), -1);
	other = packet_of(0x0a000001, 40001);
	assert_int_equal(find(&other, 1000), -1);
	other = packet;
	other.protocol = IPPROTO_UDP;
	assert_int_equal(find(&other, 1000), -1);
	other = answer;
	other.source_port = bpf_htons(8081);
	assert_int_not_equal(nat_find_reply(&other, ROWS), row);
	other = answer;
	other.protocol = IPPROTO_UDP;
	assert_int_not_equal(nat_find_reply(&other, ROWS), row);
	/* Over, and then rested. */
	assert_int_equal(find(&packet, 1000 + 2000), row);
	assert_int_equal(find(&packet, 1000 + 2001), -1);
}

/* 50,000 flows, one source, one backend: each has a port of its own. */
static void fifty_thousand(void **unused)
{
	static unsigned char used[65536];
	__u32 i;

	(void)unused;
	memset(used, 0, sizeof(used));
	for (i = 0; i < 50000; i++) {
		struct packet packet =
			packet_of(0x0a000000 + i / 50, 1024 + i % 50);
		__s64 row = begin(&packet, 1000);

		if (row < 0)
			fail_msg("flow %u: %lld", i, (long long)row);
		assert_int_equal(used[bpf_ntohs(rows[row].port)]++, 0);
		assert_in_range(bpf_ntohs(rows[row].port), 1024, 65535);
	}
	for (i = 0; i < 50000; i++) {
		struct packet packet =
			packet_of(0x0a000000 + i / 50, 1024 + i % 50);

		assert_true(find(&packet, 1000) >= 0);
	}
}

/* Full: new flows are refused, and those that are open stay. */
static void full(void **unused)
{
	struct packet packet = packet_of(0x0a000001, 1);
	__s64 first, refused;
	__u32 i;

	(void)unused;
	source.count = 100;
	first = begin(&packet, 1000);
	for (i = 0; i < 5000; i++) {
		packet = packet_of(0x0b000000 + i, 9);
		refused = begin(&packet, 1000);
	}
	assert_int_equal(refused, NAT_FULL);
	packet = packet_of(0x0a000001, 1);
	assert_int_equal(find(&packet, 1000), first);
	/* All are over, and rest. */
	packet = packet_of(0x0b000000 + i, 9);
	assert_int_equal(begin(&packet, 1000 + 2001), NAT_FULL);
	assert_int_equal(begin(&packet, 1000 + 8000), NAT_FULL);
	assert_true(begin(&packet, 1000 + 8001) >= 0);
	source.count = 64512;
}

/* A row that is taken over leaves no entry of its old flow behind. */
static void index_stays_small(void **unused)
{
	__u64 now = 1000;
	__u32 i, round, entries = 0;

	(void)unused;
	for (round = 0; round < 8; round++, now += 8001) {
		for (i = 0; i < 40000; i++) {
			struct packet packet =
				packet_of(round << 24 | i, 1024 + round);

			assert_true(begin(&packet, now) >= 0);
		}
	}
	for (i = 0; i < BUCKETS * NAT_PER_BUCKET; i++)
		entries +=
			!!buckets[i / NAT_PER_BUCKET].entry[i % NAT_PER_BUCKET];
	assert_in_range(entries, 40000, ROWS);
	for (i = 0; i < ROWS; i++)
		entries -= rows[i].state != 0;
	assert_int_equal(entries, 0);
}

#define THREADS 4
#define FLOWS	300000
static __u32 owners[ROWS]; /* of the thread that has the row open; 0: none */
static __u32 twice, lost, contended;

/* Opens flows of few clients, so that threads often begin the same one. */
static void *opens(void *data)
{
	__u32 self = (__u32)(long)data, i, nobody;
	uint64_t state = self;
	union nat_state was, ended;

	for (i = 0; i < FLOWS; i++) {
		struct packet packet =
			packet_of(0x0a000000 + draw_below(&state, 64),
				  draw_below(&state, 64));
		__s64 row = begin(&packet, 1000);

		if (row == NAT_CONTENDED)
			__sync_fetch_and_add(&contended, 1);
		if (row < 0)
			continue;
		nobody = 0;
		if (!__atomic_compare_exchange_n(&owners[row], &nobody, self, 0,
						 __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			__sync_fetch_and_add(&twice, 1);
		if (find(&packet, 1000) < 0)
			__sync_fetch_and_add(&lost, 1);
		__atomic_store_n(&owners[row], 0, __ATOMIC_SEQ_CST);
		/* It ended long ago, so any thread may take it. */
		was = nat_state_of(&rows[row]);
		ended = was;
		ended.seen = 1000 - 8001;
		nat_exchange(&rows[row], was, ended);
	}
	return NULL;
}

static void never_two_at_once(void **unused)
{
	pthread_t threads[THREADS];
	long i;

	(void)unused;
	source.count = 512; /* rows are taken over all the time */
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, opens,
						(void *)(i + 1)),
				 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	source.count = 64512;
	print_message("%u of %d began at once\n", contended, THREADS * FLOWS);
	assert_int_equal(twice, 0);
	assert_int_equal(lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(found_from_both_sides, setup),
		cmocka_unit_test_setup(fifty_thousand, setup),
		cmocka_unit_test_setup(full, setup),
		cmocka_unit_test_setup(index_stays_small, setup),
		cmocka_unit_test_setup(never_two_at_once, setup),
	};

	return RUN("nat_table", tests);
}
