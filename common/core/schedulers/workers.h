/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * workers.h - servers with worker threads: a request goes to a free thread
 *
 * A thread is a slot of its backend, one word of 64 bits:
 *
 *	63      24 23        0
 *	| deadline | name    |	0: free
 *
 * `deadline`: the jiffies at which the lease ends; from then on the slot is
 * free, whatever became of the request. `name`: of the client's endpoint, odd.
 * So one compare-and-exchange takes a slot or frees it, with all that belongs
 * to it, and the number of free threads is never below 0 nor above `threads`,
 * on any number of CPUs. Two clients may have the same name: then one of two
 * slots that are busy is freed for the other, which only changes a lease.
 *
 * Nothing here looks anything up; see LoadBalancer/datapath/workers.bpf.h.
 */
#pragma once

#include "common/core/abi_workers.h"
#include "common/core/checksum.h"
#include "common/core/verifier.h"

#define WORKER_NAME_BITS 24
#define WORKER_NAMES	 ((1ULL << WORKER_NAME_BITS) - 1)
/* Of a slot that is taken before it is known for whom. */
#define WORKER_NOBODY 1ULL

/*
 * A hash of the client's endpoint, for worker_name(). `keys`: as of
 * flow_hash(); so nobody can choose endpoints with one name.
 */
INLINE __u64 worker_hash(const struct addr *client, __be16 port, __u32 service,
			 const __u64 *keys)
{
	__u64 hash = ((FORCE __u32)client->w[0] + keys[0]) *
		     ((FORCE __u32)client->w[1] + keys[1]);

	hash += ((FORCE __u32)client->w[2] + keys[2]) *
		((FORCE __u32)client->w[3] + keys[3]);
	hash += ((FORCE __u16)port + keys[4]) * (service + keys[5]);
	hash ^= hash >> 32;
	hash *= 0xff51afd7ed558ccdULL;
	return hash ^ hash >> 32;
}

/* `hash`: as above. */
INLINE __u64 worker_name(__u64 hash)
{
	__u64 name = (hash & WORKER_NAMES) | 1;

	return name == WORKER_NOBODY ? 3 : name;
}

/* `until` in jiffies. */
INLINE __u64 worker_slot(__u64 until, __u64 name)
{
	return until << WORKER_NAME_BITS | name;
}

/* When the lease ends, with 40 bits: 17 years of milliseconds. */
INLINE __u64 worker_until(__u64 slot)
{
	return slot >> WORKER_NAME_BITS;
}

/*
 * 1: its request is being worked on; 0: it is free. `now` in jiffies. Without a
 * branch, as what follows: the verifier would go on from each.
 */
INLINE __u64 worker_is_busy(__u64 slot, __u64 now)
{
	return is_less(now << WORKER_NAME_BITS, slot & ~WORKER_NAMES);
}

INLINE int worker_exchange(__u64 *slot, __u64 from, __u64 to)
{
	return __sync_val_compare_and_swap(slot, from, to) == from;
}

/* What is in a slot now, which other CPUs write. */
INLINE __u64 worker_read(const __u64 *slot)
{
	return *(const volatile __u64 *)slot;
}

/* How many threads are free, of the first `threads`. */
INLINE __u32 workers_free(const struct workers *workers, __u32 threads,
			  __u64 now)
{
	__u32 i, count = 0;

	for (i = 0; i < MAX_THREADS; i++) {
		if (i >= threads)
			break;
		count += 1 - (__u32)worker_is_busy(
				     worker_read(&workers->slot[i]), now);
	}
	return count;
}

/* The first free slot of the first `threads`, or -1. */
INLINE int workers_first(const struct workers *workers, __u32 threads,
			 __u64 now)
{
	__u64 free, found = 0;
	__u32 i;

	for (i = 0; i < MAX_THREADS; i++) {
		free = is_less(i, threads) &
		       (worker_is_busy(worker_read(&workers->slot[i]), now) ^
			1) &
		       is_zero(found);
		found = either(free, i + 1, found);
	}
	return (int)found - 1;
}

/*
 * Takes a free slot of the first `threads` for `slot`. Returns its number, or
 * -1: there is none. WORKER_EXPIRED is added if a lease had ended there.
 */
#define WORKER_EXPIRED MAX_THREADS
#define WORKER_RETRIES 4 /* if another CPU was faster */
INLINE int workers_take(struct workers *workers, __u32 threads, __u64 now,
			__u64 slot)
{
	__u64 was, *at;
	int i, number;

	for (i = 0; i < WORKER_RETRIES; i++) {
		number = workers_first(workers, threads, now);
		if (number < 0)
			break;
		at = &workers->slot[WITHIN(number, MAX_THREADS)];
		was = worker_read(at);
		if (!worker_is_busy(was, now) && worker_exchange(at, was, slot))
			return number + (was ? WORKER_EXPIRED : 0);
	}
	return -1;
}

/*
 * The busy slot of this name whose lease ends first; `name` 0: of any, but not
 * one that another CPU has taken and for which it still looks for a request: no
 * server can be done with that. Returns its number, or -1: there is none. Of
 * all slots, for `threads` may have been more.
 */
INLINE int workers_oldest(const struct workers *workers, __u64 now, __u64 name)
{
	__u64 mask = name ? WORKER_NAMES : 0;
	__u64 slot, older, first = -1ULL >> 1, found = 0;
	__u32 i;

	for (i = 0; i < MAX_THREADS; i++) {
		slot = worker_read(&workers->slot[i]);
		older = worker_is_busy(slot, now) &
			is_zero((slot & mask) ^ name) & is_less(slot, first) &
			(is_zero((slot & WORKER_NAMES) ^ WORKER_NOBODY) ^ 1);
		first = either(older, slot, first);
		found = either(older, i + 1, found);
	}
	return (int)found - 1;
}

/*
 * The sum of a UDP packet's pseudo-header (RFC 768), not complemented: what is
 * in the field of the checksum while Linux still has to complete it
 * (CHECKSUM_PARTIAL). `length`: of UDP, as its header says.
 *
 * All words of the addresses: those in front of an IPv4 address add up to
 * 0xffff, which is 0 in this sum.
 */
INLINE __u16 worker_pseudo_sum(const struct addr *source,
			       const struct addr *destination, __be16 length)
{
	__u64 sum = (FORCE __u16)bpf_htons(17) + (FORCE __u16)length;
	__u32 i;

	for (i = 0; i < 4; i++)
		sum += (__u64)(FORCE __u32)source->w[i] +
		       (FORCE __u32)destination->w[i];
	return checksum_fold64(sum);
}

/* The longest wait, in ns, of this row of a histogram; the last has no limit.
 */
INLINE __u64 workers_wait_limit(__u32 row)
{
	return 1000000ULL << row;
}

/* The row of a wait. */
INLINE __u32 workers_wait(__u64 ns)
{
	__u32 i;

	for (i = 0; i < WORKER_WAITS - 1; i++) {
		if (ns <= workers_wait_limit(i))
			break;
	}
	return i;
}

/* How many threads of each backend this load balancer may use. */
INLINE __u32 workers_share(__u32 threads, __u32 load_balancers)
{
	return load_balancers ? threads / load_balancers : threads;
}
