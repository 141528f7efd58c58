// SPDX-License-Identifier: GPL-2.0-only
/*
 * generation.c - build a configuration aside, and switch to it with one word
 *
 * There are GENERATIONS indexes. Packets use the current generation; during its
 * grace they also look at the previous one. A new one is built at an index that
 * is neither. A tool that is killed meanwhile leaves an index that nobody looks
 * at.
 *
 * If a switch follows another within the grace, the previous generation stays
 * the oldest whose grace has not ended: handshakes begun under it are still
 * under way, and those begun later are remembered wherever the tables differ.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "common/core/abi_services.h"
#include "common/kernel/generation.h"
#include "common/kernel/quiet.h"

#define MILLISECOND 1000000ULL /* in nanoseconds */

static __u64 tick(void)
{
	struct timespec resolution;

	/* The coarse clock ticks with jiffies. */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &resolution) ||
	    !resolution.tv_nsec)
		return 4 * MILLISECOND;
	return (__u64)resolution.tv_nsec;
}

__u64 jiffies_of(__u64 milliseconds)
{
	return (milliseconds * MILLISECOND + tick() - 1) / tick();
}

__u64 milliseconds_of(__u64 jiffies)
{
	return jiffies * tick() / MILLISECOND;
}

int jiffies_now(const struct kernel *kernel, __u64 *now)
{
	union {
		__u64 now;
		char frame[64];
	} page = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = &page,
		    .data_size_in = sizeof(page), .data_out = &page,
		    .data_size_out = sizeof(page));
	int program = kernel_program(kernel, "clock"), rc = -1;

	if (program >= 0) {
		rc = bpf_prog_test_run_opts(program, &run);
		if (run.retval != XDP_PASS)
			rc = -1;
		close(program);
	}
	*now = page.now;
	return rc;
}

__u32 generation_current(const struct kernel *kernel)
{
	return kernel->current - 1;
}

int generation_read(const struct kernel *kernel, __u32 index,
		    struct generation *generation)
{
	int rc = -1, fd = kernel_map(kernel, "generations");

	if (fd >= 0) {
		rc = bpf_map_lookup_elem(fd, &index, generation);
		close(fd);
	}
	return rc;
}

int generation_write(const struct kernel *kernel, __u32 index,
		     const struct generation *generation)
{
	int rc = -1, fd = kernel_map(kernel, "generations");

	if (fd >= 0) {
		rc = bpf_map_update_elem(fd, &index, generation, BPF_ANY);
		close(fd);
	}
	return rc;
}

/*
 * Two seconds, or half of the shortest time that matters: an idle flow must not
 * be taken for a recent one.
 */
static __u8 hot_shift(__u64 udp_idle)
{
	__u64 span = jiffies_of(2000);
	__u8 shift = 0;

	if (span > udp_idle / 2)
		span = udp_idle / 2;
	while (2ULL << shift <= span)
		shift++;
	return shift;
}

#define SECOND 1000 /* milliseconds: longer than any packet takes */

bool generation_in_use(const struct generation *running, __u64 now)
{
	return now < running->grace_until + jiffies_of(SECOND);
}

/*
 * What is built may be written over what packets used before the last switch.
 * If that was just now, the kernel says when all of them have gone their way.
 */
static void packets_await(const struct kernel *kernel,
			  const struct generation *running, __u64 now)
{
	if (!kernel->is_quiet && running->switched &&
	    now - running->switched <= jiffies_of(SECOND))
		quiet_await();
}

bool generation_is_quiet(struct kernel *kernel, struct quiet *quiet)
{
	struct generation running;
	__u64 now;

	if (generation_read(kernel, generation_current(kernel), &running) ||
	    jiffies_now(kernel, &now))
		return true; /* then nothing can be built, either */
	kernel->is_quiet = !running.switched ||
			   now - running.switched > jiffies_of(SECOND) ||
			   quiet_since(quiet, &running);
	return kernel->is_quiet;
}

/* An index that is neither the current nor the previous one. */
static __u32 unused_index(const struct kernel *kernel, __u32 current)
{
	struct generation generation = {0};
	__u32 index = (current + 1) % GENERATIONS;

	if (current == NO_GENERATION)
		return 0;
	if (!generation_read(kernel, current, &generation) &&
	    index == generation.previous)
		index = (index + 1) % GENERATIONS;
	return index;
}

int generation_build(struct kernel *kernel, const struct config *config,
		     struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	__u32 index = unused_index(kernel, current);
	struct generation new = {0}, old = {0};
	__u64 now;

	if (jiffies_now(kernel, &now))
		return fault(fault_out, "cannot read the kernel's clock: %s",
			     strerror(errno));
	if (current != NO_GENERATION && generation_read(kernel, current, &old))
		return fault(fault_out,
			     "cannot read the running generation: %s",
			     strerror(errno));
	new.number = old.number + 1;
	new.previous = index;
	new.udp_idle = jiffies_of(config->udp_idle);
	new.hot_shift = hot_shift(new.udp_idle);
	new.next_hop_age = jiffies_of(config->next_hop_age);
	new.insert_limit = config->insert_limit;
	new.icmp_error_limit = config->icmp_error_limit;
	new.second_chance_limit = config->second_chance_limit;
	new.insert_window = (__u32)jiffies_of(1000);
	new.unmatched = config->unmatched;
	new.claim = config->claim;
	memcpy(new.digest, config->digest, sizeof(new.digest));
	/*
	 * How long handshakes of the previous generation have; becomes a date
	 * at the switch.
	 */
	new.grace_until = jiffies_of(config->handshake_grace);
	packets_await(kernel, &old, now);
	if (kernel->role->build(kernel, config, index, &new, fault_out))
		return -1;
	if (generation_write(kernel, index, &new))
		return fault(fault_out, "cannot write a generation: %s",
			     strerror(errno));
	return (int)index;
}

void generation_drop(struct kernel *kernel)
{
	inner_settle(kernel, false);
}

int generation_switch(struct kernel *kernel, __u32 index,
		      struct fault *fault_out)
{
	__u32 current = generation_current(kernel);
	struct generation new, old;
	__u64 now;

	if (generation_read(kernel, index, &new) || jiffies_now(kernel, &now))
		return fault(fault_out, "cannot read the kernel's clock: %s",
			     strerror(errno));
	if (current != NO_GENERATION &&
	    !generation_read(kernel, current, &old)) {
		new.previous = now < old.grace_until ? old.previous : current;
		new.grace_until += now;
	} else {
		new.grace_until = 0;
	}
	new.switched = now;
	if (generation_write(kernel, index, &new) ||
	    control_set(kernel, CONTROL_GENERATION, index + 1))
		return fault(fault_out,
			     "cannot switch to the new generation: %s",
			     strerror(errno));
	kernel->current = index + 1;
	kernel->running = NULL;
	inner_settle(kernel, true);
	return 0;
}

__u32 map_entries(int fd)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return 0;
	return info.max_entries;
}

void *map_open(int fd, int protection, size_t *size)
{
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	void *map;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &length))
		return NULL;
	*size = (size_t)info.max_entries * ((info.value_size + 7) & ~7u);
	*size = (*size + 4095) & ~(size_t)4095;
	map = mmap(NULL, *size, protection, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

void *part_of(struct part *part, int fd, size_t first, size_t length,
	      int protection)
{
	size_t before = first % (size_t)sysconf(_SC_PAGESIZE);

	part->size = before + length;
	part->all = mmap(NULL, part->size, protection, MAP_SHARED, fd,
			 (off_t)(first - before));
	if (part->all != MAP_FAILED)
		return (char *)part->all + before;
	part->all = NULL;
	return NULL;
}

void *part_open(struct part *part, const struct kernel *kernel,
		const char *name, __u32 index, int protection)
{
	int map = kernel_map(kernel, name);
	struct bpf_map_info info = {0};
	__u32 length = sizeof(info);
	void *value = NULL;

	part->all = NULL;
	if (map >= 0 && !bpf_obj_get_info_by_fd(map, &info, &length) &&
	    index < info.max_entries)
		value = part_of(part, map, (size_t)index * info.value_size,
				info.value_size, protection);
	if (map >= 0)
		close(map);
	return value;
}

void part_close(struct part *part)
{
	if (part->all)
		munmap(part->all, part->size);
}
