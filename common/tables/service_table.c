// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "common/core/abi_services.h"
#include "common/core/directory.h"
#include "common/tables/service_table.h"

static __u64 hash_of(const struct service_key *key, __u32 seed)
{
	return directory_hash(hash_destination(&key->vip), key->port,
			      key->protocol, seed);
}

#define KICKS 1000 /* moves in a circle: another seed */

static __u32 other_place(const struct directory_entry *entry, __u32 seed,
			 __u32 place)
{
	__u64 hash = hash_of(&entry->key, seed);

	return directory_first(hash) == place ? directory_second(hash)
					      : directory_first(hash);
}

/*
 * Puts `entry` in a cell; entries that are in the way move to their other cell.
 */
static int put(struct directory_entry *places, __u32 seed,
	       struct directory_entry entry)
{
	__u32 place = directory_first(hash_of(&entry.key, seed));
	struct directory_entry moved;
	int i;

	for (i = 0; i < KICKS; i++) {
		moved = places[place];
		places[place] = entry;
		if (!moved.used)
			return 0;
		entry = moved;
		place = other_place(&entry, seed, place);
	}
	return -1;
}

static bool is_there(const struct directory_entry *places, __u32 seed,
		     const struct service_key *key)
{
	__u64 hash = hash_of(key, seed);

	return directory_is(&places[directory_first(hash)], &key->vip,
			    key->port, key->protocol) ||
	       directory_is(&places[directory_second(hash)], &key->vip,
			    key->port, key->protocol);
}

int service_table_fill(struct directory_entry *places,
		       const struct directory_entry *entries, size_t count,
		       __u32 *seed)
{
	struct directory_entry entry;
	size_t i;

	for (*seed = 0; *seed < DIRECTORY_SEEDS; ++*seed) {
		memset(places, 0, DIRECTORY_PLACES * sizeof(*places));
		for (i = 0; i < count; i++) {
			if (is_there(places, *seed, &entries[i].key))
				continue;
			entry = entries[i];
			entry.used = 1;
			if (put(places, *seed, entry))
				break;
		}
		if (i == count)
			return 0;
	}
	return -1;
}
