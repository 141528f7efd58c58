/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * unmark.h - moved slots that are at rest again
 *
 * A slot is marked SLOT_MOVED when it gets another backend, since flows may be
 * remembered with the one before; then its packets are looked up. It is at rest
 * again when nothing can say but its table: no flow of the slot that is in use
 * is remembered with another backend, and none can be any more, since the
 * handshakes of before have ended: their grace, and the notes of first packets
 * (begun.h). The mark is then taken off in place. That changes what packets
 * cost, and nothing else.
 *
 * `apply` and the other verbs that build a generation look before they do;
 * `lbr run` looks a while after each change, and again as long as a slot is
 * marked.
 */
#pragma once

#include "LoadBalancer/generation/flow_table.h"
#include "LoadBalancer/generation/read.h"

/*
 * All tables, mapped by chunk. tables_open() returns 0, or -1 with errno;
 * tables_close() is due in every case.
 */
struct tables {
	__u16 *slots[TABLE_CHUNKS];
	size_t size[TABLE_CHUNKS]; /* bytes */
};
int tables_open(struct tables *tables, const struct kernel *kernel,
		int protection);
void tables_close(struct tables *tables);
/* How many slots of the service are marked. */
size_t moved_slots(const struct tables *tables, const struct running *running,
		   const struct running_service *row);

/* One look through the flow table, in steps: it may be large. */
struct unmark {
	struct running *running;
	struct flow_table flows;
	struct idle idle;
	struct tables tables;
	__u8 *busy[TABLE_CHUNKS]; /* by slot of all tables: a flow needs its
				     mark */
	size_t next;		  /* way of the flow table */
	__u64 now;		  /* jiffies */
	bool has_any;		  /* a service has any port */
	bool is_open;		  /* a service is due */
	bool is_again; /* a service that forgets is at rest: look once more */
};

/* Is a slot of any service marked? */
bool unmark_is_wanted(const struct running *running);

/*
 * Begins to look. `running`: what runs, which must stay as long. Returns 0, or
 * -1 with errno; unmark_close() is due in every case.
 */
int unmark_open(struct unmark *unmark, const struct kernel *kernel,
		struct running *running);
/* Looks at so many ways. Returns true when it has seen all. */
bool unmark_step(struct unmark *unmark, size_t ways);
/*
 * Takes marks off, with the lock, after the last step. Returns the number of
 * slots that are at rest now.
 */
size_t unmark_end(struct unmark *unmark, const struct kernel *kernel);
void unmark_close(struct unmark *unmark);

/* All of it, with the lock. What fails leaves slots marked: no fault. */
void unmark_now(const struct kernel *kernel, struct running *running);
