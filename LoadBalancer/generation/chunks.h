/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * chunks.h - where the tables of all generations lie
 *
 * The map `first_chunk` and the inner maps of `tables` are chunks of slots,
 * whatever generation they were made in. A table that does not change stays
 * where it is; a new one gets slots that no generation has which packets may
 * use, in the first chunk if there is room: packets find it faster. A new chunk
 * is made only where there is no room, and is as large as is needed, at least
 * 1 MiB: to put it into the outer map takes 8 ms. The first one is always
 * there.
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/kernel/generation.h"

/* Slots [first, end) of a chunk. */
struct region {
	__u32 chunk, first, end;
};

struct chunks {
	struct kernel *kernel;
	int fds[TABLE_CHUNKS];	    /* -1: there is none */
	__u32 slots[TABLE_CHUNKS];  /* that it has */
	__u32 kept[TABLE_CHUNKS];   /* of these, in tables that stay */
	bool is_left[TABLE_CHUNKS]; /* no table stays there, or comes there */
	bool is_used[TABLE_CHUNKS];
	struct region *taken, *gaps;
	size_t taken_count, taken_room, gap_count;
};

/* chunks_close() is due in every case. Returns 0, or -1 with a fault. */
/*
 * The maps of all chunks; -1: there is none. The caller closes them. Returns 0,
 * or -1 with errno if what is always there cannot be opened.
 */
int chunks_fds(const struct kernel *kernel, int fds[TABLE_CHUNKS]);

int chunks_open(struct chunks *chunks, struct kernel *kernel,
		struct fault *fault);
void chunks_close(struct chunks *chunks);

/* What a generation has is taken. Returns 0, or -1 with errno. */
int chunks_take(struct chunks *chunks, __u32 generation);
/* The table of a service that runs stays in the generation being built. */
void chunks_keep(struct chunks *chunks, const struct service *service);
/*
 * Before tables are placed that need so many slots: which chunks are too large
 * for what is in them? Tables that were to stay there have to be placed, too.
 */
void chunks_choose(struct chunks *chunks, __u64 slots);
/* After that: what is free. Returns 0, or -1 with errno. */
int chunks_gaps(struct chunks *chunks);
/*
 * Finds a place for the table of a service, and writes it there. `slots`: that
 * this and all further tables need. Returns 0, or -1 with a fault.
 */
int chunks_place(struct chunks *chunks, struct service *service, __u64 slots,
		 struct fault *fault);
/* Removes chunks that no generation uses, if a switch follows. */
void chunks_retire(struct chunks *chunks);

/* Slots of a service's table, and of the owners behind it. */
__u32 table_slots(const struct service *service);
/* Maps them; part_close(). NULL with errno. */
__u16 *table_open(struct part *part, const struct chunks *chunks,
		  const struct service *service, int protection);
