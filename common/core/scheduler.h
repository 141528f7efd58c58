/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scheduler.h - the algorithms that choose a backend, in one table
 *
 * A scheduler is a row here and a file in schedulers/: the slot of a service's
 * table that a flow falls on. What the table holds is the tool's work, by the
 * `order` in the row (common/tables/order.c).
 *
 * FUNCTION: the slot depends on the flow only. Nothing has to be remembered as
 * long as the pool does not change, and a SYN costs no memory: neither a full
 * flow table nor a flood moves a flow.
 *
 * CHOICE: the slot does not depend on the flow only. It is chosen at a TCP SYN,
 * if that can be remembered. All other packets of unknown flows go by a hash of
 * the flow, as under maglev.
 *
 * POOL: the table only lists the backends. A request goes to the one with most
 * free threads, in a program of its own (LoadBalancer/datapath/workers.bpf.h),
 * and nothing is remembered of flows.
 *
 * SCHEDULER(NAME, name, word, kind, order)
 */
#pragma once

#include "common/core/inline.h"

/* clang-format off */
#define SCHEDULERS(SCHEDULER) \
SCHEDULER(MAGLEV, maglev, "maglev", FUNCTION, maglev) \
SCHEDULER(RANDOM, random, "random", CHOICE, maglev) \
SCHEDULER(ROUND_ROBIN, round_robin, "round-robin", CHOICE, sequence) \
SCHEDULER(SOURCE_HASH, source_hash, "source-hash", FUNCTION, maglev) \
SCHEDULER(WORKERS, workers, "workers", POOL, each)
/* clang-format on */

enum scheduler {
#define SCHEDULER_VALUE(NAME, name, word, kind, order) SCHEDULER_##NAME,
	SCHEDULERS(SCHEDULER_VALUE)
#undef SCHEDULER_VALUE
		SCHEDULER_COUNT,
};

/* "maglev or source-hash": those that are a function of the flow. */
#define SCHEDULER_OR_FUNCTION(word) " or " word
#define SCHEDULER_OR_CHOICE(word)
#define SCHEDULER_OR_POOL(word)
#define SCHEDULER_OR(NAME, name, word, kind, order) SCHEDULER_OR_##kind(word)

#define SCHEDULER_FUNCTIONS (&("" SCHEDULERS(SCHEDULER_OR))[sizeof(" or ") - 1])

#define SCHEDULER_IS_FUNCTION 1
#define SCHEDULER_IS_CHOICE   0
#define SCHEDULER_IS_POOL     0

INLINE int scheduler_is_function(__u8 scheduler)
{
	switch (scheduler) {
#define SCHEDULER_KIND(NAME, name, word, kind, order)                          \
	case SCHEDULER_##NAME:                                                 \
		return SCHEDULER_IS_##kind;
		SCHEDULERS(SCHEDULER_KIND)
#undef SCHEDULER_KIND
	default:
		return 0;
	}
}
