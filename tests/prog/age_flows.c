// SPDX-License-Identifier: GPL-2.0-only
/*
 * age_flows MAP JIFFIES - each flow of the pinned flow table was seen so much
 * later than it was, or earlier
 *
 * As of packets that come while a tool looks through the table, or a long wait.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/core/abi.h"
#include "common/core/abi_packets.h"

static void die(const char *what)
{
	fprintf(stderr, "age_flows: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	struct flow *flows;
	size_t count, i;
	int map;

	if (argc != 3) {
		fputs("age_flows MAP JIFFIES\n", stderr);
		return 2;
	}
	map = bpf_obj_get(argv[1]);
	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &length))
		die("open the map");
	count = (size_t)info.max_entries * FLOWS_PER_BUCKET;
	flows = mmap(NULL, count * sizeof(*flows), PROT_READ | PROT_WRITE,
		     MAP_SHARED, map, 0);
	if (flows == MAP_FAILED)
		die("map the map");
	for (i = 0; i < count; i++) {
		if (flows[i].hash)
			flows[i].seen += (__u32)atoi(argv[2]);
	}
	return 0;
}
