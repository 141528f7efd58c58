// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_restore.c - common/core/restore.h: for which packets xdp_bkd need not
 * look
 */
#include <linux/in.h>

#include "common/core/restore.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marked),
		cmocka_unit_test(apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
