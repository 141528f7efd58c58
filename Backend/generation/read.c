// SPDX-License-Identifier: GPL-2.0-only
/*
 * read.c - what a generation restores, read from the kernel
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "Backend/generation/generation.h"
#include "Backend/generation/layouts.h"
#include "common/base/address.h"
#include "common/config/endpoint.h"
#include "common/kernel/generation.h"

static int by_key(const void *a, const void *b)
{
	const struct restore_row *x = a, *y = b;

	return memcmp(&x->key, &y->key, sizeof(x->key));
}

/* The rows of a hash, by its layout. Their number, or -1. */
static int rows_of_hash(int map, const struct restore_layout *layout,
			struct restore_row **rows)
{
	struct restore_key key, *last = NULL;
	char value[MOST_RESTORE];
	int count = 0;

	while (!bpf_map_get_next_key(map, last, &key)) {
		struct restore_row *grown =
			realloc(*rows, ((size_t)count + 1) * sizeof(*grown));

		if (!grown)
			return -1;
		*rows = grown;
		grown[count].key = key;
		if (!bpf_map_lookup_elem(map, &key, value))
			layout->restore(value, &grown[count++].restore);
		last = &key;
	}
	return count;
}

/* The rows of a table. Their number, or -1. */
static int rows_of_table(int map, struct restore_row **rows)
{
	struct restores *restores;
	size_t size, count;

	restores = map_open(map, PROT_READ, &size);
	if (!restores)
		return -1;
	count = restores->count < MAX_RESTORES ? restores->count : MAX_RESTORES;
	*rows = calloc(count + 1, sizeof(**rows));
	if (*rows)
		memcpy(*rows, restores->rows + 1, count * sizeof(**rows));
	munmap(restores, size);
	return *rows ? (int)count : -1;
}

int restores_read_as(const struct kernel *kernel, __u32 index,
		     const struct restore_layout *layout,
		     struct restore_row **rows)
{
	int map = kernel_inner(kernel, "restores", index), count = -1;
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	*rows = NULL;
	if (map < 0 || bpf_obj_get_info_by_fd(map, &info, &length))
		goto out;
	if (!layout || info.value_size != layout->size) {
		errno = EPROTO;
		goto out;
	}
	count = layout->restore ? rows_of_hash(map, layout, rows)
				: rows_of_table(map, rows);
	if (count > 0)
		qsort(*rows, (size_t)count, sizeof(**rows), by_key);
out:
	if (count < 0) {
		free(*rows);
		*rows = NULL;
	}
	if (map >= 0)
		close(map);
	return count;
}

int restores_read(const struct kernel *kernel, __u32 index,
		  struct restore_row **rows)
{
	*rows = NULL;
	return index == NO_GENERATION
		       ? 0
		       : restores_read_as(kernel, index, &restore_layout_own,
					  rows);
}

__u64 *restores_since(const struct kernel *kernel, __u32 index)
{
	int map = index == NO_GENERATION
			  ? -1
			  : kernel_inner(kernel, "restores", index);
	struct restores *restores;
	__u64 *since = NULL;
	size_t size;

	restores = map_open(map, PROT_READ, &size);
	if (restores && size >= sizeof(*restores))
		since = malloc(sizeof(restores->since));
	if (since)
		memcpy(since, restores->since, sizeof(restores->since));
	if (restores)
		munmap(restores, size);
	if (map >= 0)
		close(map);
	return since;
}

const struct restore_row *restores_find(const struct restore_row *rows,
					int count,
					const struct restore_key *key)
{
	struct restore_row wanted = {.key = *key};

	return count ? bsearch(&wanted, rows, (size_t)count, sizeof(wanted),
			       by_key)
		     : NULL;
}

static void line(FILE *out, char sign, const struct restore_row *row,
		 const char *more)
{
	char address[64], vip[INET6_ADDRSTRLEN], method[32];

	fprintf(out, "%c restore %s/%s to %s by %s%s\n", sign,
		endpoint_text(&row->key.address, row->key.port, address),
		protocol_name(row->key.protocol),
		addr_text(&row->restore.vip, vip),
		method_text(&row->restore.method, method), more);
}

/* 0: there is no second chance. */
static __u32 pool_of(const struct restore_row *row)
{
	return row->restore.table_size ? row->restore.pool : 0;
}

/* The rows of `a` that are missing or different in `b`. */
static int lines(FILE *out, const struct restore_row *a, int a_count,
		 const struct restore_row *b, int b_count, char sign)
{
	const struct restore_row *other;
	int i, printed = 0;

	for (i = 0; i < a_count; i++) {
		other = restores_find(b, b_count, &a[i].key);
		if (!other) {
			line(out, sign, &a[i], "");
			printed++;
		} else if (sign == '+' &&
			   (memcmp(&other->restore.vip, &a[i].restore.vip,
				   sizeof(struct addr)) ||
			    memcmp(&other->restore.method, &a[i].restore.method,
				   sizeof(struct method)))) {
			line(out, '~', &a[i], "");
			printed++;
		} else if (sign == '+' && pool_of(other) != pool_of(&a[i])) {
			line(out, '~', &a[i],
			     a[i].restore.standing
				     ? ", with second chance at all times"
			     : pool_of(&a[i])
				     ? ", with second chance among the "
				       "backends in transition"
				     : ", no backend is in transition");
			printed++;
		} else if (sign == '+' &&
			   other->restore.at_own != a[i].restore.at_own) {
			line(out, '~', &a[i],
			     a[i].restore.at_own
				     ? ", whose server listens on its own "
				       "address"
				     : ", whose server listens on the VIP");
			printed++;
		} else if (sign == '+' &&
			   !!other->restore.until != !!a[i].restore.until) {
			line(out, '~', &a[i],
			     a[i].restore.until
				     ? ", for `grace` and `drain-timeout` only"
				     : ", permanent again");
			printed++;
		}
	}
	return printed;
}

int bkd_diff(struct kernel *kernel, __u32 before, __u32 after,
	     const struct config *config, FILE *out)
{
	struct restore_row *old, *new;
	int old_count, new_count, printed = -1, sources;

	(void)config;
	old_count = restores_read(kernel, before, &old);
	new_count = restores_read(kernel, after, &new);
	if (old_count >= 0 && new_count >= 0)
		printed = lines(out, old, old_count, new, new_count, '-') +
			  lines(out, new, new_count, old, old_count, '+');
	free(old);
	free(new);
	sources = sources_diff(kernel, before, after, out);
	return printed < 0 || sources < 0 ? -1 : printed + sources;
}
