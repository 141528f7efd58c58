// SPDX-License-Identifier: GPL-2.0-only
/*
 * sources.c - the senders of tunnelled packets that xdp_bkd accepts
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "common/base/address.h"
#include "common/config/config.h"
#include "common/core/address.h"
#include "common/kernel/generation.h"

static int by_value(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

/*
 * Of a generation, sorted; *rows is to be freed. Returns their number, or -1.
 */
static int sources_read(const struct kernel *kernel, __u32 index,
			struct prefix **rows)
{
	int map = kernel_inner(kernel, "sources", index), count = 0;
	struct prefix key, *last = NULL, *grown;

	*rows = NULL;
	if (map < 0)
		return -1;
	while (!bpf_map_get_next_key(map, last, &key)) {
		grown = realloc(*rows, ((size_t)count + 1) * sizeof(*grown));
		if (!grown)
			break;
		*rows = grown;
		grown[count++] = key;
		last = &key;
	}
	/* No key follows the last one. */
	if (errno != ENOENT)
		count = -1;
	close(map);
	if (count > 0)
		qsort(*rows, (size_t)count, sizeof(**rows), by_value);
	return count;
}

/* Those of `a` that are not in `b`. */
static int lines(FILE *out, const struct prefix *a, int a_count,
		 const struct prefix *b, int b_count, char sign)
{
	char text[INET6_ADDRSTRLEN];
	int i, printed = 0;

	for (i = 0; i < a_count; i++) {
		if (b_count &&
		    bsearch(&a[i], b, (size_t)b_count, sizeof(*b), by_value))
			continue;
		fprintf(out, "%c lb-source %s/%u\n", sign,
			addr_text(&a[i].address, text),
			addr_is_v4(&a[i].address) ? a[i].bits - 96 : a[i].bits);
		printed++;
	}
	return printed;
}

int sources_diff(struct kernel *kernel, __u32 before, __u32 after, FILE *out)
{
	struct prefix *old, *new;
	int old_count = sources_read(kernel, before, &old);
	int new_count = sources_read(kernel, after, &new), printed = -1;

	if (old_count >= 0 && new_count >= 0)
		printed = lines(out, old, old_count, new, new_count, '-') +
			  lines(out, new, new_count, old, old_count, '+');
	free(old);
	free(new);
	return printed;
}
