// SPDX-License-Identifier: GPL-2.0-only
/*
 * sequence.c - turns by weight, spread evenly
 *
 * A period has as many turns as the sum of the weights in lowest terms: 3:1 is
 * four turns, and so is 30:10. A backend's turns lie at equal distances: turn n
 * of w (from 0) at (2n + 1) / 2w of the period. Sorted by time, all turns are
 * the sequence. So a heavy backend does not get its flows in a row, and at any
 * time the shares are close to the weights.
 *
 * The table holds as many whole periods as fit, so that going round it shares
 * exactly by weight. If not even one fits (`table-size` is below the sum of the
 * weights), it holds the beginning of the period, and shares are off by less
 * than a slot; a backend with a share below one slot may get none.
 *
 * The law, as for Maglev: the sequence is a function of the set {(address,
 * weight)} and of nothing else.
 */
#include "common/tables/sequence.h"

#include <stdlib.h>
#include <string.h>

struct turn {
	__u32 number; /* 2n + 1 */
	__u16 weight;
	__u16 index;
	struct addr address;
};

/* By time; at the same time by weight, then by address. */
static int compare(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;
	__u64 before = (__u64)x->number * y->weight;
	__u64 after = (__u64)y->number * x->weight;

	if (before != after)
		return before < after ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return memcmp(&x->address, &y->address, sizeof(x->address));
}

/* The greatest common divisor of all weights. */
static __u32 divisor(const struct table_backend *backends, size_t count)
{
	__u32 common = 0, weight, rest;
	size_t i;

	for (i = 0; i < count; i++) {
		for (weight = backends[i].weight; weight; weight = rest) {
			rest = common % weight;
			common = weight;
		}
	}
	return common;
}

static __u32 period_of(const struct table_backend *backends, size_t count)
{
	__u32 sum = 0;
	size_t i;

	for (i = 0; i < count; i++)
		sum += backends[i].weight;
	return sum / divisor(backends, count);
}

__u32 sequence_slots(__u32 size, const struct table_backend *backends,
		     size_t count)
{
	__u32 period = period_of(backends, count);

	return period > size ? size : size - size % period;
}

/*
 * The number of turns of one backend that may be among the first `slots`: all,
 * or those up to the latest time that turn can have.
 */
static __u32 turns_of(__u32 weight, __u32 slots, __u32 period, size_t count)
{
	__u64 due = (__u64)weight * (slots + count) / period + 1;

	return due < weight ? (__u32)due : weight;
}

int sequence_fill(__u16 *table, __u32 slots,
		  const struct table_backend *backends, size_t count)
{
	__u32 period = period_of(backends, count), all = 0, n, most;
	__u32 common = divisor(backends, count);
	/* At most those of the first `slots`, see turns_of(). */
	struct turn *turns = calloc(slots + 2 * count, sizeof(*turns));
	size_t i;

	if (!turns)
		return -1;
	for (i = 0; i < count; i++) {
		most = turns_of(backends[i].weight / common, slots, period,
				count);
		for (n = 0; n < most; n++)
			turns[all++] = (struct turn){
				2 * n + 1, backends[i].weight,
				backends[i].index, backends[i].address};
	}
	qsort(turns, all, sizeof(*turns), compare);
	for (n = 0; n < slots; n++)
		table[n] = turns[n % period].index;
	free(turns);
	return 0;
}
