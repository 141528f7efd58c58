// SPDX-License-Identifier: GPL-2.0-only
/*
 * maglev.c - consistent hashing with weights
 *
 * Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer"
 * (NSDI 2016), section 3.4. Each backend prefers slots in an order of its own:
 * from `offset` on in steps of `skip`, which visits every slot because the size
 * is prime. Backends take turns; in its turn a backend takes the first free
 * slot of its order.
 *
 * Weights decide the number of turns. A backend takes its turn n (from 0) in
 * round n * max / weight, rounded up, where max is the greatest weight: the
 * heaviest has a turn in every round, one with a third of its weight in every
 * third. If all turns of a backend came in a row, heavy backends would be ahead
 * in each round, and a changed weight would move many more slots. All have a
 * turn in the first round, so even the lightest gets a slot.
 *
 * The laws: the table is a function of the set {(address, weight)} and of
 * nothing else: not of the order in the file, the indices or the machine (no
 * floating point, no byte order). So every load balancer with the same file has
 * the same table. Only the ratio of weights counts. A change of one backend
 * moves little more than its own slots.
 */
#include "common/tables/maglev.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/hash.h"

#define WORD_BITS (sizeof(unsigned long) * CHAR_BIT)

struct taker {
	struct addr address;
	__u16 weight;
	__u16 index;
	__u32 next; /* next slot of its order */
	__u32 skip;
	__u64 turns; /* turns taken, times the greatest weight */
};

/* By address, in memory order: the same on every machine. */
static int compare(const void *a, const void *b)
{
	const struct taker *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, sizeof(x->address));

	return order ? order : (int)x->weight - (int)y->weight;
}

/* The finalizer of SplitMix64: one changed bit flips half of the bits. */
static __u64 finish(__u64 hash)
{
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ULL;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebULL;
	return hash ^ hash >> 31;
}

static void prefer(struct taker *taker, __u32 size)
{
	taker->next = finish(hash_addr(1, &taker->address)) % size;
	taker->skip = finish(hash_addr(2, &taker->address)) % (size - 1) + 1;
}

/* Takes the first free slot of its order. */
static __u32 take(struct taker *taker, unsigned long *taken, __u32 size)
{
	__u32 slot = taker->next;

	while (taken[slot / WORD_BITS] >> slot % WORD_BITS & 1) {
		slot += taker->skip;
		if (slot >= size)
			slot -= size;
	}
	taken[slot / WORD_BITS] |= 1UL << slot % WORD_BITS;
	taker->next = slot;
	return slot;
}

static void fill(__u16 *table, __u32 size, struct taker *takers, size_t count,
		 unsigned long *taken, __u32 max)
{
	__u32 filled = 0;
	__u64 round;
	size_t i;

	for (round = 0;; round++) {
		for (i = 0; i < count; i++) {
			struct taker *taker = &takers[i];

			if (round * taker->weight < taker->turns)
				continue;
			taker->turns += max;
			table[take(taker, taken, size)] = taker->index;
			if (++filled == size)
				return;
		}
	}
}

__u32 maglev_slots(__u32 size, const struct table_backend *backends,
		   size_t count)
{
	(void)backends;
	(void)count;
	return size;
}

int maglev_fill(__u16 *table, __u32 size, const struct table_backend *backends,
		size_t count)
{
	struct taker *takers = calloc(count, sizeof(*takers));
	/* A bit for each slot, so that it fits into the CPU's first cache. */
	unsigned long *taken = calloc(size / WORD_BITS + 1, sizeof(*taken));
	bool room = takers && taken;
	__u32 max = 1;
	size_t i;

	for (i = 0; room && i < count; i++) {
		takers[i].address = backends[i].address;
		takers[i].weight = backends[i].weight;
		takers[i].index = backends[i].index;
		prefer(&takers[i], size);
		if (max < backends[i].weight)
			max = backends[i].weight;
	}
	if (room) {
		qsort(takers, count, sizeof(*takers), compare);
		fill(table, size, takers, count, taken, max);
	}
	free(takers);
	free(taken);
	return room ? 0 : -1;
}
