// SPDX-License-Identifier: GPL-2.0-only
#include "LoadBalancer/generation/chunks.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LEAST	(512 * 1024)	  /* slots of an inner map: 1 MiB */
#define AT_ONCE (8 * 1024 * 1024) /* at most so many more than needed */
#define SPARE	8		  /* indexes for tables that have to move */

__u32 table_slots(const struct service *service)
{
	return TABLE_SLOTS(service->table_size) * (1u + service->owners);
}

int chunks_fds(const struct kernel *kernel, int fds[TABLE_CHUNKS])
{
	int outer = kernel_map(kernel, "tables");
	__u32 i, id;

	fds[0] = kernel_map(kernel, "first_chunk");
	for (i = 1; i < TABLE_CHUNKS; i++) {
		fds[i] = -1;
		if (outer >= 0 && !bpf_map_lookup_elem(outer, &i, &id))
			fds[i] = bpf_map_get_fd_by_id(id);
	}
	if (outer >= 0)
		close(outer);
	return outer < 0 || fds[0] < 0 ? -1 : 0;
}

int chunks_open(struct chunks *chunks, struct kernel *kernel,
		struct fault *fault_out)
{
	int i;

	memset(chunks, 0, sizeof(*chunks));
	chunks->kernel = kernel;
	if (chunks_fds(kernel, chunks->fds))
		return fault(fault_out, "cannot open the tables: %s",
			     strerror(errno));
	for (i = 0; i < TABLE_CHUNKS; i++) {
		if (chunks->fds[i] >= 0)
			chunks->slots[i] =
				map_entries(chunks->fds[i]) * SLOTS_PER_ELEMENT;
	}
	return 0;
}

void chunks_close(struct chunks *chunks)
{
	int i;

	for (i = 0; i < TABLE_CHUNKS; i++) {
		if (chunks->fds[i] >= 0)
			close(chunks->fds[i]);
	}
	free(chunks->taken);
	free(chunks->gaps);
}

static struct region region_of(const struct service *service)
{
	return (struct region){service->chunk, service->table_first,
			       service->table_first + table_slots(service)};
}

static int take(struct chunks *chunks, const struct service *service)
{
	size_t room = chunks->taken_room * 2 + 64;
	struct region *grown;

	if (!service->table_size)
		return 0;
	if (chunks->taken_count == chunks->taken_room) {
		grown = realloc(chunks->taken, room * sizeof(*grown));
		if (!grown)
			return -1;
		chunks->taken = grown;
		chunks->taken_room = room;
	}
	chunks->taken[chunks->taken_count++] = region_of(service);
	chunks->is_used[service->chunk % TABLE_CHUNKS] = true;
	return 0;
}

int chunks_take(struct chunks *chunks, __u32 generation)
{
	struct part part;
	const struct service_cells *cells = part_open(
		&part, chunks->kernel, "services", generation, PROT_READ);
	int i, rc = cells ? 0 : -1;

	for (i = 0; !rc && i < SERVICE_CELLS; i++) {
		const struct service_cell *cell = &cells->at[i];

		/* Not the marks of VIPs, which say the same again. */
		if (cell->used && cell->key.protocol)
			rc = take(chunks, &cell->service);
	}
	part_close(&part);
	return rc;
}

void chunks_keep(struct chunks *chunks, const struct service *service)
{
	chunks->kept[service->chunk % TABLE_CHUNKS] += table_slots(service);
}

void chunks_choose(struct chunks *chunks, __u64 slots)
{
	__u64 all = slots;
	int i, used = 0;

	for (i = 0; i < TABLE_CHUNKS; i++) {
		used += chunks->fds[i] >= 0;
		all += chunks->kept[i];
	}
	for (i = 1; i < TABLE_CHUNKS; i++)
		chunks->is_left[i] =
			used > TABLE_CHUNKS - SPARE ||
			(chunks->slots[i] > LEAST &&
			 chunks->slots[i] > all / 4 &&
			 (chunks->kept[i] + slots) * 4 < chunks->slots[i]);
}

static int by_position(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	if (x->chunk != y->chunk)
		return x->chunk < y->chunk ? -1 : 1;
	return x->first < y->first ? -1 : x->first > y->first;
}

int chunks_gaps(struct chunks *chunks)
{
	const struct region *taken = chunks->taken;
	const struct region *end = taken + chunks->taken_count;
	struct region *gap;
	__u32 chunk, first;

	if (taken)
		qsort(chunks->taken, chunks->taken_count, sizeof(*taken),
		      by_position);
	gap = calloc(chunks->taken_count + 2 * TABLE_CHUNKS, sizeof(*gap));
	chunks->gaps = gap;
	for (chunk = 0; gap && chunk < TABLE_CHUNKS; chunk++) {
		for (first = 0; taken < end && taken->chunk == chunk; taken++) {
			if (taken->first > first && !chunks->is_left[chunk])
				*gap++ = (struct region){chunk, first,
							 taken->first};
			if (taken->end > first)
				first = taken->end;
		}
		if (first < chunks->slots[chunk] && !chunks->is_left[chunk])
			*gap++ = (struct region){chunk, first,
						 chunks->slots[chunk]};
	}
	chunks->gap_count = gap ? (size_t)(gap - chunks->gaps) : 0;
	return gap ? 0 : -1;
}

/*
 * As maps.bpf.h has them. There may be none that could be asked for its shape:
 * where no backend gets new flows, no service has a table.
 */
static int chunk_create(__u32 elements, struct fault *fault_out)
{
	LIBBPF_OPTS(bpf_map_create_opts, options,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "tables", sizeof(__u32),
				sizeof(struct slots), elements, &options);

	if (fd < 0)
		fault(fault_out, "cannot make a chunk of tables: %s",
		      strerror(errno));
	return fd;
}

/*
 * So that the next verdicts, which are urgent, need not make a chunk: room for
 * this table in two more generations, or an eighth of all.
 */
static __u64 spare(__u64 all, __u32 own)
{
	__u64 slots = all / 8 > 2ULL * own ? all / 8 : 2ULL * own;

	return slots < AT_ONCE ? slots : AT_ONCE;
}

/* A chunk for all tables that are still to be placed, and for some more. */
static int chunk_make(struct chunks *chunks, __u64 slots, __u32 own,
		      struct fault *fault_out)
{
	__u64 all = 0;
	__u32 i, chunk = TABLE_CHUNKS;
	int fd;

	for (i = TABLE_CHUNKS; i-- > 1;) {
		all += chunks->is_left[i] ? 0 : chunks->slots[i];
		if (chunks->fds[i] < 0)
			chunk = i;
	}
	if (chunk == TABLE_CHUNKS)
		return fault(fault_out,
			     "cannot place a table: all %d chunks are taken",
			     TABLE_CHUNKS);
	slots += spare(all + slots, own);
	if (slots < LEAST)
		slots = LEAST;
	slots = (slots + SLOTS_PER_ELEMENT - 1) / SLOTS_PER_ELEMENT;
	fd = chunk_create((__u32)slots, fault_out);
	if (fd < 0)
		return -1;
	chunks->fds[chunk] = fd;
	chunks->slots[chunk] = (__u32)slots * SLOTS_PER_ELEMENT;
	chunks->is_left[chunk] = false;
	chunks->gaps[chunks->gap_count++] =
		(struct region){chunk, 0, chunks->slots[chunk]};
	return inner_publish(chunks->kernel, "tables", chunk, fd, fault_out);
}

int chunks_place(struct chunks *chunks, struct service *service, __u64 slots,
		 struct fault *fault_out)
{
	__u32 own = table_slots(service);
	struct region *gap = chunks->gaps;
	struct region *end = gap + chunks->gap_count;

	while (gap < end && gap->end - gap->first < own)
		gap++;
	if (gap == end) {
		if (chunk_make(chunks, slots, own, fault_out))
			return -1;
		gap = &chunks->gaps[chunks->gap_count - 1];
	}
	service->chunk = (__u16)gap->chunk;
	service->table_first = gap->first;
	gap->first += own;
	chunks->is_used[gap->chunk] = true;
	return 0;
}

void chunks_retire(struct chunks *chunks)
{
	__u32 i;

	for (i = 1; i < TABLE_CHUNKS; i++) {
		if (chunks->fds[i] >= 0 && !chunks->is_used[i])
			inner_retire(chunks->kernel, "tables", i);
	}
}

__u16 *table_open(struct part *part, const struct chunks *chunks,
		  const struct service *service, int protection)
{
	return part_of(part, chunks->fds[service->chunk % TABLE_CHUNKS],
		       service->table_first * sizeof(__u16),
		       table_slots(service) * sizeof(__u16), protection);
}
