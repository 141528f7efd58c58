// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_services.h"
#include "common/core/service_table.h"
#include "common/tables/service_table.h"

static __u64 hash_of(const struct service_key *key, __u32 seed)
{
	return service_table_hash(hash_destination(&key->vip), key->port,
				  key->protocol, seed);
}

#define KICKS 1000 /* moves in a circle: another seed */

static __u32 other_cell(const struct service_cell *entry, __u32 seed,
			__u32 cell)
{
	__u64 hash = hash_of(&entry->key, seed);

	return service_table_first(hash) == cell ? service_table_second(hash)
						 : service_table_first(hash);
}

/*
 * Puts `entry` in a cell; entries that are in the way move to their other cell.
 */
static int put(struct service_cell *cells, __u32 seed,
	       struct service_cell entry)
{
	__u32 cell = service_table_first(hash_of(&entry.key, seed));
	struct service_cell moved;
	int i;

	for (i = 0; i < KICKS; i++) {
		moved = cells[cell];
		cells[cell] = entry;
		if (!moved.used)
			return 0;
		entry = moved;
		cell = other_cell(&entry, seed, cell);
	}
	return -1;
}

static bool is_there(const struct service_cell *cells, __u32 seed,
		     const struct service_key *key)
{
	__u64 hash = hash_of(key, seed);

	return service_table_is(&cells[service_table_first(hash)], &key->vip,
				key->port, key->protocol) ||
	       service_table_is(&cells[service_table_second(hash)], &key->vip,
				key->port, key->protocol);
}

int service_table_fill(struct service_cell *cells,
		       const struct service_cell *entries, size_t count,
		       __u32 *seed)
{
	struct service_cell entry;
	size_t i;

	for (*seed = 0; *seed < DIRECTORY_SEEDS; ++*seed) {
		memset(cells, 0, SERVICE_CELLS * sizeof(*cells));
		for (i = 0; i < count; i++) {
			if (is_there(cells, *seed, &entries[i].key))
				continue;
			entry = entries[i];
			entry.used = 1;
			if (put(cells, *seed, entry))
				break;
		}
		if (i == count)
			return 0;
	}
	return -1;
}
