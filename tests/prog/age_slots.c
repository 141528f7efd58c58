// SPDX-License-Identifier: GPL-2.0-only
/*
 * age_slots MAP SECONDS - each service of the pinned map `backends` whose slots
 * have moved has had them move so much earlier
 *
 * As of a long wait.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "common/core/abi_services.h"

static void die(const char *what)
{
	fprintf(stderr, "age_slots: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct backend_rows *rows;
	struct timespec tick;
	__u64 jiffies;
	int map, i, j;

	if (argc != 3) {
		fputs("age_slots MAP SECONDS\n", stderr);
		return 2;
	}
	/* The coarse clock ticks with jiffies. */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &tick))
		die("read the tick");
	jiffies =
		strtoull(argv[2], NULL, 10) * 1000000000 / (__u64)tick.tv_nsec;
	map = bpf_obj_get(argv[1]);
	if (map < 0)
		die("open the map");
	rows = mmap(NULL, GENERATIONS * sizeof(*rows), PROT_READ | PROT_WRITE,
		    MAP_SHARED, map, 0);
	if (rows == MAP_FAILED)
		die("map the map");
	for (i = 0; i < GENERATIONS; i++) {
		for (j = 0; j < MAX_SERVICES; j++) {
			if (rows[i].moved[j])
				rows[i].moved[j] -= jiffies;
		}
	}
	return 0;
}
