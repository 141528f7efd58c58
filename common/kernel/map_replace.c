// SPDX-License-Identifier: GPL-2.0-only
#include "common/kernel/map_replace.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* 0 or an errno; of those that fit, all are written. */
static int write_all(int map, const char *keys, size_t key_size,
		     const char *values, size_t value_size, int count)
{
	int i, error = 0;

	for (i = 0; i < count; i++) {
		if (bpf_map_update_elem(map, keys + (size_t)i * key_size,
					values + (size_t)i * value_size,
					BPF_ANY))
			error = errno;
	}
	return error;
}

static bool is_among(const char *key, const char *keys, size_t key_size,
		     int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!memcmp(key, keys + (size_t)i * key_size, key_size))
			return true;
	}
	return false;
}

static void remove_others(int map, const char *keys, size_t key_size, int count)
{
	char key[16], last[16];
	bool begun = false;

	while (!bpf_map_get_next_key(map, begun ? last : NULL, key)) {
		if (!is_among(key, keys, key_size, count)) {
			bpf_map_delete_elem(map, key);
			continue; /* from the same place */
		}
		memcpy(last, key, key_size);
		begun = true;
	}
}

int map_replace(int map, const void *keys, size_t key_size, const void *values,
		size_t value_size, int count)
{
	int error;

	if (map < 0)
		return -1;
	error = write_all(map, keys, key_size, values, value_size, count);
	/* Both together may be more than there is room for. */
	if (!error || error == E2BIG)
		remove_others(map, keys, key_size, count);
	if (error == E2BIG)
		error = write_all(map, keys, key_size, values, value_size,
				  count);
	close(map);
	errno = error;
	return error ? -1 : 0;
}
