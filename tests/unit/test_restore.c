// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_restore.c - the table of what xdp_bkd restores (common/core/restore.h):
 * what was added is found, and nothing else is, with as many rows as there may
 * be; and for which packets xdp_bkd need not look
 */
#include <linux/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/restore.h"
#include "common/tables/restores.h"
#include "tests/unit/unit.h"

static struct restore_key key_of(__u8 protocol, int port, __u8 dscp)
{
	struct restore_key key = {.port = bpf_htons((__u16)port),
				  .protocol = protocol,
				  .dscp = dscp};

	return key;
}

/* No row is missed, whatever its address. */
static void marked(void **state)
{
	__u64 bits[VIP_BITS / 64] = {0};
	int port;

	(void)state;
	for (port = 0; port < 65536; port += 7) {
		struct restore_key key = key_of(IPPROTO_UDP, port, 0);

		restore_mark(bits, &key);
		key.address.w[3] = bpf_htonl(0x0a000001);
		key.inner.w[3] = bpf_htonl(0x0a000002);
		assert_true(restore_may_be(bits, &key));
	}
}

/* Nearly all that there is no row for are told apart from those of 3 rows. */
static void apart(void **state)
{
	const struct restore_key rows[] = {key_of(IPPROTO_TCP, 80, 0),
					   key_of(IPPROTO_TCP, 443, 0),
					   key_of(IPPROTO_UDP, 53, 46)};
	const __u8 protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	__u64 bits[VIP_BITS / 64] = {0};
	int port, found = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		restore_mark(bits, &rows[i]);
	for (port = 0; port < 65536; port++) {
		for (i = 0; i < 2; i++) {
			struct restore_key key = key_of(protocols[i], port, 0);

			found += restore_may_be(bits, &key);
		}
	}
	/* 3 of 4096 would be 96. */
	assert_in_range(found, 2, 300);
}

/* Keys that differ in each of their fields. */
static struct restore_key key_number(__u32 number)
{
	struct restore_key key =
		key_of(number & 1 ? IPPROTO_TCP : IPPROTO_UDP,
		       (int)(80 + (number >> 1) % 4), number & 8 ? 46 : 0);

	if (number & 16)
		addr_set_v4(&key.address, bpf_htonl(0xac130003));
	else
		key.address.w[0] = bpf_htonl(0x20010db8);
	if (number & 32)
		key.address.w[3] = bpf_htonl(number >> 6);
	else
		key.inner.w[number & 1 ? 0 : 3] = bpf_htonl(1 + (number >> 6));
	return key;
}

static struct restore row_number(__u32 number)
{
	struct restore restore = {.counter = number + 1};

	return restore;
}

static struct restores *made(__u32 count)
{
	struct restores *restores = malloc(sizeof(*restores));
	__u32 i;

	memset(restores, 0xff, sizeof(*restores)); /* as after another file */
	restores_clear(restores);
	for (i = 0; i < count; i++) {
		struct restore_key key = key_number(i);
		struct restore row = row_number(i);

		assert_int_equal(restores_add(restores, &key, &row), 0);
	}
	return restores;
}

static void all_are_found(void **state)
{
	struct restores *restores = made(MAX_RESTORES);
	struct restore more = row_number(MAX_RESTORES);
	const struct restore_row *row;
	struct restore_key key;
	__u32 i;

	(void)state;
	for (i = 0; i < MAX_RESTORES; i++) {
		key = key_number(i);
		row = restore_find(restores, &key);
		assert_non_null(row);
		assert_int_equal(row->restore.counter, i + 1);
		assert_ptr_equal(row, &restores->rows[row->index]);
		assert_true(restore_may_be(restores->bits, &key));
	}
	for (; i < 4 * MAX_RESTORES; i++) {
		key = key_number(i);
		assert_null(restore_find(restores, &key));
	}
	assert_int_equal(restores_add(restores, &key, &more), -1);
	free(restores);
}

static void the_first_of_one_key_stays(void **state)
{
	struct restores *restores = made(3);
	struct restore_key key = key_number(1);
	struct restore row = row_number(99);

	(void)state;
	assert_int_equal(restores_add(restores, &key, &row), 1);
	assert_int_equal(restores->count, 3);
	assert_int_equal(restore_find(restores, &key)->restore.counter, 2);
	free(restores);
}

static void nothing_in_an_empty_one(void **state)
{
	struct restores *restores = made(0);
	struct restore_key zero = {0}, key = key_number(0);

	(void)state;
	assert_int_equal(restore_may_be(restores->bits, &zero), 0);
	assert_null(restore_find(restores, &key));
	assert_false(restore_may_be(restores->bits, &key));
	free(restores);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked),
		cmocka_unit_test(apart),
		cmocka_unit_test(all_are_found),
		cmocka_unit_test(the_first_of_one_key_stays),
		cmocka_unit_test(nothing_in_an_empty_one),
	};

	return RUN("restore", tests);
}
