// SPDX-License-Identifier: GPL-2.0-only
/*
 * mapsums LINK - a line for each map of the program behind a pinned bpf_link:
 * its name, and a hash of all that is in it, on every CPU
 *
 * Two runs print the same where nothing has been written in between.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "mapsums: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t hash_add(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	while (size-- > 0)
		hash = (hash ^ *at++) * 0x100000001b3ULL;
	return hash;
}

static int is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static uint64_t sum_of(int map, const struct bpf_map_info *info);

/* The values of an outer map are ids. */
static uint64_t inner_sum(uint32_t id)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);
	int map = bpf_map_get_fd_by_id(id);
	uint64_t sum;

	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &length))
		die("open an inner map");
	sum = sum_of(map, &info);
	close(map);
	return sum;
}

/* A sum over the entries: in which order a hash table has them is nothing. */
static uint64_t sum_of(int map, const struct bpf_map_info *info)
{
	size_t size = (info->value_size + 7) / 8 * 8, i;
	char *key = calloc(2, info->key_size), *last = NULL;
	uint64_t sum = 0, hash;
	char *value;

	if (is_per_cpu(info->type))
		size *= (size_t)libbpf_num_possible_cpus();
	value = calloc(1, size);
	if (!key || !value)
		die("remember an entry");
	while (!bpf_map_get_next_key(map, last, key)) {
		last = key + info->key_size;
		memcpy(last, key, info->key_size);
		if (bpf_map_lookup_elem(map, key, value))
			continue;
		hash = hash_add(0xcbf29ce484222325ULL, key, info->key_size);
		for (i = 0; i < size && !value[i]; i++)
			;
		if (i < size)
			hash = hash_add(hash, value, size);
		if (info->type == BPF_MAP_TYPE_ARRAY_OF_MAPS)
			hash += inner_sum(*(uint32_t *)value);
		sum += hash;
	}
	free(key);
	free(value);
	return sum;
}

int main(int argc, char **argv)
{
	struct bpf_link_info link_info = {0};
	struct bpf_prog_info info = {0};
	uint32_t ids[64], length = sizeof(link_info), i;
	int link, program;

	if (argc != 2) {
		fprintf(stderr, "usage: mapsums LINK\n");
		return 2;
	}
	link = bpf_obj_get(argv[1]);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &link_info, &length))
		die(argv[1]);
	program = bpf_prog_get_fd_by_id(link_info.prog_id);
	info.map_ids = (uintptr_t)ids;
	info.nr_map_ids = sizeof(ids) / sizeof(ids[0]);
	length = sizeof(info);
	if (program < 0 || bpf_obj_get_info_by_fd(program, &info, &length))
		die("ask the link's program for its maps");
	for (i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info map_info = {0};
		int map = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map_info);
		if (map < 0 || bpf_obj_get_info_by_fd(map, &map_info, &length))
			die("open a map");
		printf("%s %016llx\n", map_info.name,
		       (unsigned long long)sum_of(map, &map_info));
		close(map);
	}
	return 0;
}
