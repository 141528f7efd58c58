// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/map_replace.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

int map_replace(int map, const void *keys, size_t key_size, const void *values,
		size_t value_size, int count)
{
	char key[16], last[16];
	const char *each = keys;
	bool begun = false;
	int i, rc = map < 0 ? -1 : 0;

	for (i = 0; i < count && !rc; i++)
		rc = bpf_map_update_elem(
			map, each + (size_t)i * key_size,
			(const char *)values + (size_t)i * value_size, BPF_ANY);
	while (!rc && !bpf_map_get_next_key(map, begun ? last : NULL, key)) {
		for (i = 0; i < count; i++) {
			if (!memcmp(key, each + (size_t)i * key_size, key_size))
				break;
		}
		if (i == count) {
			bpf_map_delete_elem(map, key);
			continue; /* from the same place */
		}
		memcpy(last, key, key_size);
		begun = true;
	}
	if (map >= 0)
		close(map);
	return rc;
}
