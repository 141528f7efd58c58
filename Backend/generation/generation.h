/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generation.h - this host's part of the file, as a generation of xdp_bkd
 */
#pragma once

#include <jansson.h>

#include "common/core/abi_services.h"
#include "common/kernel/kernel.h"

/* build.c: build it, aside */
int bkd_concerns(const struct kernel *kernel, const struct config *config,
		 struct fault *fault);
int bkd_build(struct kernel *kernel, const struct config *config, __u32 index,
	      struct generation *generation, struct fault *fault);
/* read.c: what a generation restores, read from the kernel */
/* The changes of `lb-sources`, a line each. Returns their number, or -1. */
int sources_diff(struct kernel *kernel, __u32 before, __u32 after, FILE *out);
int bkd_diff(struct kernel *kernel, __u32 before, __u32 after,
	     const struct config *config, FILE *out);

/*
 * The rows of a generation's map `restores`, sorted by key; *rows is to be
 * freed. Returns their number, or -1. NO_GENERATION: none.
 */
int restores_read(const struct kernel *kernel, __u32 index,
		  struct restore_row **rows);
/*
 * Of these rows, by their index, since when each has had its restore.pool:
 * struct restores.since. To be freed; NULL: that cannot be read.
 */
__u64 *restores_since(const struct kernel *kernel, __u32 index);
const struct restore_row *restores_find(const struct restore_row *rows,
					int count,
					const struct restore_key *key);

/*
 * counters.c: a counter for each row, kept from one generation to the next.
 * `rows` are those of the running generation, from restores_read().
 */
struct counters {
	int map;
	const struct restore_row *rows;
	int count;
	bool *used;   /* by these */
	__u64 *zeros; /* for each CPU */
	__u32 next;
};
/* Returns 0 or -1; counters_close() is due in every case. */
int counters_open(struct counters *counters, const struct kernel *kernel,
		  const struct restore_row *rows, int count);
void counters_close(struct counters *counters);
/* For a row of the next generation; 0: none is free. */
__u32 counter_of(struct counters *counters, const struct restore_key *key,
		 const struct addr *vip);
/* What it has counted, or null. */
json_t *counter_read(int map, __u32 counter);

/*
 * candidates.c: where a service's candidates are, in the maps `lists` and
 * `peers` of one generation; table_size 0: it has none.
 */
struct candidate_region {
	__u32 table_size;
	__u32 was_size; /* as of struct restore */
	bool standing;	/* likewise */
	__u32 lists_first;
	__u32 peers_first;
	__u32 pool;    /* struct restore.pool */
	bool is_first; /* of the services that share it */
};
/* The number of a backend among the `peers`. */
__u16 candidate_number(const struct candidate_region *region,
		       const struct config_service *service,
		       const struct addr *address);
/*
 * Writes the candidates of the services in transition of which this host is a
 * backend, and publishes them at `index`. *regions, by service of the file, is
 * to be freed. Returns 0, or -1 with a fault.
 */
int candidates_write(struct kernel *kernel, const struct config *config,
		     const struct addr *own, int own_count, __u32 index,
		     struct candidate_region **regions, struct fault *fault);

/*
 * moved.c: of the rows of the running generation, how many flows each has here
 * in slots whose new flows go to another backend: they need the transition.
 * flows[0..count). Returns 0, or -1 with a fault.
 */
int moved_flows(const struct kernel *kernel, const struct restore_row *rows,
		int count, __u32 *flows, struct fault *fault);

/* Is it an address of this host? */
bool is_own(const struct addr *address, const struct addr *own, int count);
/*
 * The addresses of this host on other interfaces than lo, and those named with
 * -a. *own is to be freed. Their number, or -1 with a fault.
 */
int own_addresses(const struct kernel *kernel, struct addr **own,
		  struct fault *fault);
