// SPDX-License-Identifier: GPL-2.0-only
/*
 * sequence.c - turns by weight, spread evenly
 *
 * A period has as many turns as the weights sum up to, in lowest terms: 3:1
 * is four turns, 30:10 too. The turns of a backend lie at equal distances: the
 * n-th of w (from 0) at (2n + 1) / 2w of the period. All turns in the order of
 * their time are the sequence; so a heavy backend is not given its flows in a
 * row, and what has been given is at any time close to what is due.
 *
 * The table holds as many whole periods as fit, so that who goes around it for
 * ever shares exactly by weight. Where not even one fits (`table-size` is below
 * the sum of the weights), it holds the period's beginning, and the shares are
 * off by less than a slot; a backend whose share is less than a slot may get
 * none.
 *
 * The law, as Maglev's: the sequence is a function of the set {(address,
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

/* In time; at the same time, by weight, then by address. */
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

/* What all weights can be divided by. */
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
 * The turns of one backend that can be among the first `slots`: all of them,
 * or those up to the latest time that the last of these can have.
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
	/* No more than the first `slots` can be of, see turns_of(). */
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
