// SPDX-License-Identifier: GPL-2.0-only
/*
 * What earlier releases left in their maps, byte for byte, as today's structs.
 */
#include "LoadBalancer/generation/layouts.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "Backend/generation/layouts.h"
#include "common/base/elapsed.h"
#include "tests/unit/unit.h"

#define SLOTS 16384 /* of v4's backends */

static void put(void *at, size_t offset, const void *from, size_t size)
{
	memcpy((char *)at + offset, from, size);
}

static void put_u32(void *at, size_t offset, __u32 value)
{
	put(at, offset, &value, sizeof(value));
}

static void put_u64(void *at, size_t offset, __u64 value)
{
	put(at, offset, &value, sizeof(value));
}

/* vip 0-15, port 16, protocol 18; id 20; scheduler 32, method 33, turns 36,
 * leaving 38; port_mask 40, protocol 42, used 43.
 */
static void v4_cells(void **state)
{
	struct running_service row;
	__u8 cell[44] = {0};

	(void)state;
	assert_int_equal(layout_v4.cell_size, sizeof(cell));
	assert_int_equal(layout_v4.services_size, 65536 * sizeof(cell));
	cell[0] = 0x20;
	cell[17] = 80;
	cell[18] = IPPROTO_TCP;
	put_u32(cell, 20, 7);
	put_u32(cell, 24, 4096);
	put_u32(cell, 28, 65537);
	cell[32] = 2;
	cell[33] = 1;
	cell[34] = 1;
	cell[35] = 46;
	cell[36] = 9;
	cell[38] = 5;
	cell[40] = cell[41] = 0xff;
	assert_false(layout_v4.service(cell, &row)); /* it is empty */
	cell[43] = 1;
	assert_true(layout_v4.service(cell, &row));
	assert_memory_equal(&row.key, cell, 20);
	assert_int_equal(row.service.id, 7);
	assert_int_equal(row.service.scheduler, 2);
	assert_memory_equal(&row.service.method, cell + 33, 3);
	assert_int_equal(row.service.rr_turn, 9);
	assert_int_equal(row.service.removing, 5);
	assert_false(row.by_address);
	cell[40] = cell[41] = 0;
	assert_true(layout_v4.service(cell, &row));
	assert_true(row.by_address);
	/* The mark of a VIP, and its entry for fragments, are no services. */
	cell[18] = 0;
	assert_false(layout_v4.service(cell, &row));
	cell[18] = IPPROTO_FRAGMENT;
	assert_false(layout_v4.service(cell, &row));
}

/* Rows of 32 bytes, then three lists of 64 bits. */
static void v4_rows(void **state)
{
	const size_t size = SLOTS * 48 + 4096 * 8;
	__u8 *rows = calloc(1, size), generation[640] = {0};
	__u64 until[SLOTS], since[SLOTS], service_since[4096];
	time_t now = time(NULL);
	struct backend *backends = calloc(SLOTS, sizeof(*backends));
	struct running running = {.backends = backends,
				  .until = until,
				  .since = since,
				  .service_since = service_since};

	(void)state;
	assert_int_equal(layout_v4.backends_size, size);
	put_u32(rows, 3 * 32 + 16, 3 + 2 * SLOTS);
	put_u32(rows, 3 * 32 + 20, 7);
	rows[3 * 32 + 26] = BACKEND_REMOVING;
	put_u64(rows, SLOTS * 32 + 3 * 8, 1234);
	put_u64(rows, SLOTS * 40 + 3 * 8, (__u64)now);
	put_u64(rows, SLOTS * 48 + 9 * 8, 5678); /* before the host came up */
	layout_v4.backends(rows, &running);
	assert_int_equal(backends[3].id, 3 + 2 * SLOTS);
	assert_int_equal(backends[3].service, 7);
	assert_int_equal(backends[3].state, BACKEND_REMOVING);
	assert_int_equal(until[3], 1234);
	assert_in_range(event_time(since[3]), now - 1, now + 60);
	assert_int_equal(since[4], 0);
	assert_int_equal(service_since[9], 1);
	free(rows);
	free(backends);

	assert_int_equal(layout_v4.generation_size, sizeof(generation));
	assert_int_equal(layout_v4.service_id_key, 2);
	put_u64(generation, 0, 12);
	put_u64(generation, 8, 13);
	put_u64(generation, 16, 14);
	layout_v4.generation(generation, &running.generation);
	assert_int_equal(running.generation.number, 12);
	assert_int_equal(running.generation.grace_until, 13);
	assert_int_equal(running.generation.udp_idle, 14);
}

static void v4_flows(void **state)
{
	__u8 way[16] = {0}, ends[24];
	struct flow_key key;
	struct flow flow;

	(void)state;
	assert_int_equal(layout_v4.flow_size, sizeof(way));
	assert_int_equal(layout_v4.key_size, sizeof(ends));
	memset(ends, 0xa5, sizeof(ends));
	put_u64(way, 0, 0x123456789abcdef1);
	put_u32(way, 8, FLOW_ENDS | 77);
	put_u32(way, 12, 99);
	layout_v4.flow(way, &flow);
	layout_v4.ends(ends, &key);
	assert_int_equal(flow.hash, 0x123456789abcdef1);
	assert_int_equal(flow.backend, FLOW_ENDS | 77);
	assert_int_equal(flow.seen, 99);
	assert_memory_equal(&key, ends, sizeof(ends));
}

/* vip 0-15, until 16, method 24, counter 28. */
static void v4_restores(void **state)
{
	const struct restore_layout *layout = restore_layout("v4");
	struct restore restore;
	__u8 value[32] = {0};

	(void)state;
	assert_non_null(layout);
	assert_null(restore_layout("v3"));
	assert_false(restore_layout_is_known("v99"));
	assert_int_equal(layout->size, sizeof(value));
	value[0] = 0x20;
	put_u64(value, 16, 1234);
	value[24] = 2;
	put_u32(value, 28, 17);
	memset(&restore, 0xff, sizeof(restore));
	layout->restore(value, &restore);
	assert_memory_equal(&restore.vip, value, 16);
	assert_int_equal(restore.until, 1234);
	assert_memory_equal(&restore.method, value + 24, 3);
	assert_int_equal(restore.counter, 17);
	assert_int_equal(restore.table_size, 0);
	assert_int_equal(restore.was_size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v4_cells),
		cmocka_unit_test(v4_rows),
		cmocka_unit_test(v4_flows),
		cmocka_unit_test(v4_restores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
