/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * generation.h - build a configuration aside, and switch to it with one word
 */
#pragma once

#include "common/core/abi_services.h"
#include "common/kernel/kernel.h"

#define NO_GENERATION ((__u32)-1)

/* The index of the current generation, or NO_GENERATION. */
__u32 generation_current(const struct kernel *kernel);
/* Reads a generation's struct. Returns 0 or -1. */
int generation_read(const struct kernel *kernel, __u32 index,
		    struct generation *generation);
/* Overwrites it while packets read it. Returns 0 or -1. */
int generation_write(const struct kernel *kernel, __u32 index,
		     const struct generation *generation);

/*
 * Builds the file as a generation at an index that nothing goes by. Returns the
 * index, or -1 with a fault. Packets do not see it. Unless it is switched to,
 * kernel_close() frees it.
 */
int generation_build(struct kernel *kernel, const struct config *config,
		     struct fault *fault);

/*
 * For an event loop, before it builds: have all packets gone their way that met
 * the generation before the running one? If not, the kernel is asked, and the
 * loop has to call again some milliseconds later; if it builds nevertheless,
 * the build waits.
 */
struct quiet;
bool generation_is_quiet(struct kernel *kernel, struct quiet *quiet);

/* For kernel_close(): frees what was built, whole or not, and never ran. */
void generation_drop(struct kernel *kernel);

/* May packets still be under way by the generation before the running one? */
bool generation_in_use(const struct generation *running, __u64 now);

/* Makes packets use `index`. The previous generation stays for its grace. */
int generation_switch(struct kernel *kernel, __u32 index, struct fault *fault);

/*
 * Maps the value at `index` of an array with a value for each generation. NULL
 * if there is none.
 */
struct part {
	void *all;
	size_t size;
};
void *part_open(struct part *part, const struct kernel *kernel,
		const char *name, __u32 index, int protection);
/* The same of `length` bytes of an array, from byte `first` on. */
void *part_of(struct part *part, int fd, size_t first, size_t length,
	      int protection);
void part_close(struct part *part);

/*
 * The inner map at the index of a generation that is being built: the one that
 * was left there, if it has enough entries and not four times as many, or a new
 * one, published. Keys of a hash that was left are removed; an array has its
 * old values. Returns its fd, to be closed, or -1 with a fault.
 */
int inner_take(struct kernel *kernel, const char *name, __u32 index,
	       __u32 entries, struct fault *fault);
/* 0 if `fd` is no map. */
__u32 map_entries(int fd);

/*
 * Maps the values of an array as one array; NULL if `fd` is no such map. *size
 * is for munmap().
 */
void *map_open(int fd, int protection, size_t *size);
/*
 * Puts a map at an index of the outer one. Unless a switch follows, it is
 * removed again. The kernel waits for all programs that may see the one that
 * was there: 8 ms. 0, or -1 with a fault.
 */
int inner_publish(struct kernel *kernel, const char *name, __u32 at, int inner,
		  struct fault *fault);
/* Removes it after the switch, if one follows. */
void inner_retire(struct kernel *kernel, const char *name, __u32 at);
/* Removes those that are retired, or else those that were published. */
void inner_settle(struct kernel *kernel, bool is_old);

/* Jiffies in `milliseconds`, rounded up; the current jiffies, approximately. */
__u64 jiffies_of(__u64 milliseconds);
__u64 milliseconds_of(__u64 jiffies);
int jiffies_now(const struct kernel *kernel, __u64 *now);
