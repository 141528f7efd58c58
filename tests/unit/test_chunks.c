// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_chunks.c - where tables come to lie
 *
 * The law: a table that is placed lies within a chunk, and has no slot in
 * common with any other one that packets may use. The module is compiled in,
 * with stand-ins for the kernel's maps.
 */
#include "LoadBalancer/generation/chunks.c"
#include "tests/unit/unit.h"

#define MOST 2000

static __u32 entries[TABLE_CHUNKS]; /* of the chunks that there are */
static int made, retired;
static struct service_cells *cells; /* of the generation that runs */

int kernel_map(const struct kernel *kernel, const char *name)
{
	(void)kernel;
	return strcmp(name, "first_chunk") ? dup(0) : 1000;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	const __u32 *at = key;

	(void)fd;
	*(__u32 *)value = *at;
	return entries[*at] ? 0 : -1;
}

/* Such an fd is only to be closed. */
int bpf_map_get_fd_by_id(__u32 id)
{
	return 1000 + (int)id;
}

__u32 map_entries(int fd)
{
	return entries[fd - 1000];
}

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size,
		   __u32 value_size, __u32 count,
		   const struct bpf_map_create_opts *options)
{
	(void)name;
	assert_int_equal(type, BPF_MAP_TYPE_ARRAY);
	assert_int_equal(key_size, sizeof(__u32));
	assert_int_equal(value_size, sizeof(struct slots));
	assert_true(options->map_flags & BPF_F_MMAPABLE);
	made = (int)count;
	return 999;
}

int inner_publish(struct kernel *kernel, const char *name, __u32 at, int inner,
		  struct fault *fault_out)
{
	(void)kernel;
	(void)name;
	(void)inner;
	(void)fault_out;
	assert_int_equal(entries[at], 0);
	entries[at] = (__u32)made;
	return 0;
}

void inner_retire(struct kernel *kernel, const char *name, __u32 at)
{
	(void)kernel;
	(void)name;
	assert_int_not_equal(entries[at], 0);
	entries[at] = 0;
	retired++;
}

void *part_open(struct part *part, const struct kernel *kernel,
		const char *name, __u32 slot, int protection)
{
	(void)part;
	(void)kernel;
	(void)name;
	(void)slot;
	(void)protection;
	return cells;
}

void *part_of(struct part *part, int fd, size_t first, size_t length,
	      int protection)
{
	(void)part;
	(void)fd;
	(void)first;
	(void)length;
	(void)protection;
	return NULL;
}

void part_close(struct part *part)
{
	(void)part;
}

int fault(struct fault *fault_out, const char *format, ...)
{
	(void)fault_out;
	(void)format;
	return -1;
}

/* Sorted by position, no region begins before the region before it ends. */
static void lie_apart(struct region *regions, size_t count)
{
	size_t i;

	qsort(regions, count, sizeof(*regions), by_position);
	for (i = 0; i < count; i++) {
		assert_true(regions[i].chunk < TABLE_CHUNKS);
		assert_true(regions[i].end <=
			    entries[regions[i].chunk] * SLOTS_PER_ELEMENT);
		if (i && regions[i].chunk == regions[i - 1].chunk)
			assert_true(regions[i].first >= regions[i - 1].end);
	}
}

static struct service services[MOST];

/*
 * One change: of `count` services, each has a new table by one chance in
 * `odds`, of this size or, with `vary`, of up to twice or four times as many
 * slots. Returns how many were placed.
 */
static size_t change(size_t count, __u32 size, bool vary, unsigned int odds)
{
	static struct region regions[2 * MOST];
	struct chunks chunks;
	struct fault fault_is;
	size_t work[MOST], works = 0, all = 0, i;
	__u64 slots = 0;

	memset(cells, 0, sizeof(*cells));
	for (i = 0; i < MOST; i++) {
		cells->at[i].used = services[i].table_size != 0;
		cells->at[i].key.protocol = IPPROTO_TCP;
		cells->at[i].service = services[i];
		if (services[i].table_size)
			regions[all++] = region_of(&services[i]);
	}
	assert_int_equal(chunks_open(&chunks, NULL, &fault_is), 0);
	assert_int_equal(chunks_take(&chunks, 0), 0);
	for (i = 0; i < MOST; i++) {
		bool was = services[i].table_size;

		if (i >= count) {
			memset(&services[i], 0, sizeof(services[i]));
		} else if (was && (unsigned int)rand() % odds) {
			chunks_keep(&chunks, &services[i]);
		} else {
			services[i].table_size =
				size + (vary ? (__u32)rand() % size : 0);
			services[i].owners = vary && rand() % 2;
			slots += table_slots(&services[i]);
			work[works++] = i;
		}
	}
	chunks_choose(&chunks, slots);
	assert_int_equal(chunks_gaps(&chunks), 0);
	for (i = 0; i < works; i++) {
		assert_int_equal(chunks_place(&chunks, &services[work[i]],
					      slots, &fault_is),
				 0);
		slots -= table_slots(&services[work[i]]);
		regions[all++] = region_of(&services[work[i]]);
	}
	lie_apart(regions, all);
	chunks_retire(&chunks);
	chunks_close(&chunks);
	return works;
}

static void starts(void)
{
	memset(entries, 0, sizeof(entries));
	entries[0] = FIRST_CHUNK;
	memset(services, 0, sizeof(services));
	retired = 0;
	srand(1);
}

static __u64 entries_all(void)
{
	__u64 all = 0;
	int i;

	for (i = 1; i < TABLE_CHUNKS; i++)
		all += entries[i];
	return all;
}

static void tables_lie_apart(void **state)
{
	int i;

	(void)state;
	starts();
	for (i = 0; i < 300; i++)
		change(1 + (size_t)rand() % (MOST - 1), 1 + (__u32)rand() % 997,
		       true, 1 + (unsigned int)rand() % 20);
}

/* One changed table at a time needs no more than one more chunk. */
static void room_is_used_again(void **state)
{
	__u64 all;
	int i;

	(void)state;
	starts();
	change(512, 65537, false, 1);
	while (!change(512, 65537, false, 512))
		;
	all = entries_all();
	for (i = 0; i < 100; i++)
		change(512, 65537, false, 512);
	assert_true(entries_all() == all);
	assert_true(all * SLOTS_PER_ELEMENT < 512ULL * 65540 * 5 / 4);
}

/* The first chunk is filled before any other is made. */
static void the_first_is_filled(void **state)
{
	size_t i;

	(void)state;
	starts();
	change(100, 16381, false, 1);
	assert_int_equal(entries_all(), 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(services[i].chunk, 0);
	change(150, 16381, false, 1000000);
	assert_true(entries_all() != 0);
	change(1, 16381, false, 1000000);
	change(1, 16381, false, 1);
	assert_int_equal(entries_all(), 0);
	assert_int_equal(entries[0], FIRST_CHUNK);
}

/* A large file that shrinks gives the memory back, after one more change. */
static void chunks_are_given_back(void **state)
{
	(void)state;
	starts();
	change(MOST, 65537, true, 1);
	change(1, 251, true, 1);
	change(1, 251, true, 1);
	change(1, 251, true, 1);
	assert_true(retired >= 1);
	assert_int_equal(entries_all(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_lie_apart),
		cmocka_unit_test(room_is_used_again),
		cmocka_unit_test(the_first_is_filled),
		cmocka_unit_test(chunks_are_given_back),
	};

	cells = calloc(1, sizeof(*cells));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
