// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service table: what was inserted is found, and nothing else is, with up
 * to as many services as a file may have.
 */
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_services.h"
#include "common/core/service_table.h"
#include "common/tables/service_table.h"
#include "tests/unit/unit.h"

#define MOST (2 * MAX_SERVICES)

static const struct service_cell *find(const struct service_cell *cells,
				       const struct service_key *key,
				       __u32 seed)
{
	__u64 hash = service_table_hash(hash_destination(&key->vip), key->port,
					key->protocol, seed);
	const struct service_cell *entry = &cells[service_table_first(hash)];

	if (service_table_is(entry, &key->vip, key->port, key->protocol))
		return entry;
	entry = &cells[service_table_second(hash)];
	return service_table_is(entry, &key->vip, key->port, key->protocol)
		       ? entry
		       : NULL;
}

static struct service_cell entry_of(__u32 number)
{
	struct service_cell entry = {0};

	addr_set_v4(&entry.key.vip, bpf_htonl(0xc0000200 + number / 8));
	entry.key.port = bpf_htons(80 + number % 8);
	entry.key.protocol = IPPROTO_TCP;
	entry.service.id = number + 1;
	return entry;
}

static void all_are_found(void **unused)
{
	struct service_cell *cells = calloc(SERVICE_CELLS, sizeof(*cells));
	struct service_cell *entries = calloc(MOST, sizeof(*entries));
	const struct service_cell *found;
	__u32 seed, i, used = 0;

	(void)unused;
	for (i = 0; i < MOST; i++)
		entries[i] = entry_of(i);
	assert_int_equal(service_table_fill(cells, entries, MOST, &seed), 0);
	for (i = 0; i < MOST; i++) {
		found = find(cells, &entries[i].key, seed);
		assert_non_null(found);
		assert_int_equal(found->service.id, i + 1);
	}
	for (i = MOST; i < 4 * MOST; i++) {
		struct service_cell other = entry_of(i);

		assert_null(find(cells, &other.key, seed));
	}
	for (i = 0; i < SERVICE_CELLS; i++)
		used += cells[i].used;
	assert_int_equal(used, MOST);
	free(cells);
	free(entries);
}

static void nothing_in_an_empty_one(void **unused)
{
	struct service_cell *cells = calloc(SERVICE_CELLS, sizeof(*cells));
	struct service_key key = {0};
	__u32 seed;

	(void)unused;
	assert_int_equal(service_table_fill(cells, NULL, 0, &seed), 0);
	assert_null(find(cells, &key, seed));
	free(cells);
}

static void the_first_of_one_key_counts(void **unused)
{
	struct service_cell *cells = calloc(SERVICE_CELLS, sizeof(*cells));
	struct service_cell entries[2] = {entry_of(1), entry_of(1)};
	__u32 seed;

	(void)unused;
	entries[1].service.id = 99;
	assert_int_equal(service_table_fill(cells, entries, 2, &seed), 0);
	assert_int_equal(find(cells, &entries[0].key, seed)->service.id, 2);
	free(cells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_are_found),
		cmocka_unit_test(nothing_in_an_empty_one),
		cmocka_unit_test(the_first_of_one_key_counts),
	};

	return RUN("service table", tests);
}
