// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "common/core/restore.h"
#include "common/tables/restores.h"

#define KICKS 1000 /* moves in a circle: another seed */
#define SEEDS 64

/* Puts a row's index in a cell; those in the way move to their other cell. */
static bool put(struct restores *restores, __u16 index)
{
	__u64 hash = restore_hash(&restores->rows[index].key, restores->seed);
	__u32 cell = restore_first(hash);
	__u16 moved;
	int i;

	for (i = 0; i < KICKS; i++) {
		moved = restores->cells[cell];
		restores->cells[cell] = index;
		if (!moved)
			return true;
		index = moved;
		hash = restore_hash(&restores->rows[index].key, restores->seed);
		cell = restore_first(hash) == cell ? restore_second(hash)
						   : restore_first(hash);
	}
	return false;
}

static bool put_all(struct restores *restores)
{
	__u32 i;

	memset(restores->cells, 0, sizeof(restores->cells));
	for (i = 1; i <= restores->count; i++) {
		if (!put(restores, (__u16)i))
			return false;
	}
	return true;
}

void restores_clear(struct restores *restores)
{
	restores->count = 0;
	restores->seed = 0;
	memset(restores->bits, 0, sizeof(restores->bits));
	memset(restores->cells, 0, sizeof(restores->cells));
	restores->rows[0] = (struct restore_row){0};
}

int restores_add(struct restores *restores, const struct restore_key *key,
		 const struct restore *restore)
{
	struct restore_row *row;

	if (restore_find(restores, key))
		return 1;
	if (restores->count >= MAX_RESTORES)
		return -1;
	row = &restores->rows[++restores->count];
	*row = (struct restore_row){*key, restores->count, *restore};
	restore_mark(restores->bits, key);
	if (put(restores, (__u16)restores->count))
		return 0;
	/* The cells are four times as many as rows: one of the next will do. */
	while (restores->seed++ < SEEDS) {
		if (put_all(restores))
			return 0;
	}
	return -1;
}
