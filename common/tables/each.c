// SPDX-License-Identifier: GPL-2.0-only
#include "common/tables/each.h"

#include <stdlib.h>
#include <string.h>

__u32 each_slots(__u32 size, const struct table_backend *backends, size_t count)
{
	(void)size;
	(void)backends;
	return (__u32)count;
}

static int by_address(const void *a, const void *b)
{
	const struct table_backend *x = a, *y = b;

	return memcmp(&x->address, &y->address, sizeof(x->address));
}

int each_fill(__u16 *table, __u32 slots, const struct table_backend *backends,
	      size_t count)
{
	struct table_backend *sorted = calloc(count, sizeof(*sorted));
	__u32 i;

	if (!sorted)
		return -1;
	memcpy(sorted, backends, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_address);
	for (i = 0; i < slots; i++)
		table[i] = sorted[i % count].index;
	free(sorted);
	return 0;
}
