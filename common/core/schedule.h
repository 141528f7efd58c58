/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * schedule.h - the slot of a service's table that a flow falls on
 */
#pragma once

#include "common/core/address.h"
#include "common/core/scheduler.h"

/* What a scheduler may use. */
struct scheduling {
	__u64 hash; /* of the flow */
	const struct addr *source;
	/* A CHOICE's: */
	__u64 turn;   /* flows that this CPU has placed for the service */
	__u32 cpu;    /* its number */
	__u32 chance; /* any number */
};

#include "common/core/schedulers/all.h" /* by make */

/* A POOL selects no slot. */
#define SLOT_BY_FUNCTION(name) return name##_slot(from, size)
#define SLOT_BY_CHOICE(name)   return name##_slot(from, size)
#define SLOT_BY_POOL(name)     return 0

/* The slot that the scheduler selects. */
INLINE __u32 scheduler_slot(__u8 scheduler, const struct scheduling *from,
			    __u32 size)
{
	switch (scheduler) {
#define SCHEDULER_SLOT(NAME, name, word, kind, order)                          \
	case SCHEDULER_##NAME:                                                 \
		SLOT_BY_##kind(name);
		SCHEDULERS(SCHEDULER_SLOT)
#undef SCHEDULER_SLOT
	default:
		return 0;
	}
}

/* The slot for a packet of an unknown flow. */
INLINE __u32 scheduler_table_slot(__u8 scheduler, const struct scheduling *from,
				  __u32 size)
{
	return scheduler_slot(
		scheduler_is_function(scheduler) ? scheduler : SCHEDULER_MAGLEV,
		from, size);
}
